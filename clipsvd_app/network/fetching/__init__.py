"""The only part of the program that uses the network: a child process that fetches a published model.

``clipsvd_app.services.models.download`` starts it and communicates with it. Nothing else imports ``download``
or ``failures``.
"""
