"""Notices: who is told of what happened, in the desk and by e-mail, and the weekly digest.

Events are the only source: nothing but the audit trail makes a notice.
"""
