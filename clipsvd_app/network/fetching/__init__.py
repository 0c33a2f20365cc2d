"""The one part of the program that uses the network: a child process that fetches a published model.

``clipsvd_app.services.models.download`` starts it and talks to it. Nothing else
imports ``download`` or ``failures``.
"""
