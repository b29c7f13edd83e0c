"""Addresses of the cases."""

from __future__ import annotations

from django.urls import path

from twokey.desk.web.cases import acting, applying, deciding, views

app_name = "cases"
urlpatterns = [
    path("", views.index, name="index"),
    path("views/save/", views.save_view, name="save_view"),
    path("views/<int:view_id>/drop/", views.drop_view, name="drop_view"),
    path("<int:case_id>/", views.show, name="show"),
    path("<int:case_id>/documents/<int:document_id>/", views.document, name="document"),
    path("<int:case_id>/apply/", applying.statement, name="apply"),
    path("<int:case_id>/apply/documents/", applying.documents, name="apply_documents"),
    path(
        "<int:case_id>/apply/documents/<int:document_id>/withdraw/",
        applying.withdraw_document,
        name="withdraw_document",
    ),
    path("<int:case_id>/apply/evidence/", applying.evidence, name="apply_evidence"),
    path("<int:case_id>/apply/check/", applying.check, name="apply_check"),
    path("<int:case_id>/save/", applying.save, name="save"),
    path("<int:case_id>/decide/", deciding.decide, name="decide"),
    *(path(f"<int:case_id>/{name.replace('_', '-')}/", view, name=name) for name, view in acting.TASKS.items()),
]
