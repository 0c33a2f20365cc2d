"""Images and work as they come, each case in a folder of its own with the right value beside it.

``PYTHONPATH=tests:. python -m support.field_cases FOLDER`` runs every case below ``FOLDER/imaging`` and
``FOLDER/workflow`` against the installed program, prints a table of right and wrong, and ends with 1 when
anything is wrong.
"""
