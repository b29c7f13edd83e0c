"""Papers: licence, refusal, release and statement of use as PDF, each typeset from what is signed. No Django here.

A paper is a pure function of its record (`record`): the same record gives the same bytes, so whoever holds a PDF can
typeset the record inside it again and see that the paper says what was signed (`checking`). `services` alone asks the
desk's tables.
"""
