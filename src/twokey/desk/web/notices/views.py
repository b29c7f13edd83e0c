"""What a person was told, their week, the orders that they follow, and how they are told."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twokey.desk.actors import Actor
from twokey.desk.notices import services
from twokey.desk.notices.digest import digest_of
from twokey.desk.notices.mailing import path_of
from twokey.desk.notices.models import Preference
from twokey.desk.web.base.doors import back, form, page, task
from twokey.desk.web.base.paging import sheet
from twokey.desk.web.base.words import language


class ChoiceForm(forms.Form):
    """How to be told."""

    address = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        required=False,
        help_text=gettext_lazy("Without one, no e-mail is sent."),
        error_messages={"invalid": gettext_lazy("Give an address like name@example.org.")},
    )
    mail = forms.ChoiceField(
        label=gettext_lazy("E-mail"),
        choices=[
            (Preference.Mail.AT_ONCE.value, gettext_lazy("As it happens, and the digest of the week")),
            (Preference.Mail.WEEKLY.value, gettext_lazy("The digest of the week only")),
            (Preference.Mail.NEVER.value, gettext_lazy("Never; the notices are here")),
        ],
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of e-mails"), choices=[("en", "English"), ("zh", "中文")])


@page(services.OWN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what the person was told, newest first."""
    unread = request.GET.get("show") == "unread"
    rows = sheet(request, services.notices(actor, unread=unread))
    lang = language()
    context = {
        "sheet": rows,
        "rows": [(each, services.sentence(each, lang), path_of(each)) for each in rows.rows],
        "unread": unread,
        "count": services.unread_count(actor),
    }
    return render(request, "notices/index.html", context)


@task(services.OWN)
def read(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Mark one notice as read, or all of them."""
    given = request.POST.get("notice", "")
    services.mark_read(actor, [int(given)] if given.isascii() and given.isdecimal() and len(given) < 19 else None)
    return back(request, "notices:index")


@page(services.OWN)
def week(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the digest of the past seven days as it is written to the person."""
    return render(request, "notices/week.html", {"parts": digest_of(actor, language())})


@form(services.OWN)
def settings(request: HttpRequest, actor: Actor) -> HttpResponseBase:
    """Show and take how the person is told; list the orders that they follow."""
    now = services.choice(actor)
    asked = ChoiceForm(
        request.POST if request.method == "POST" else None,
        initial={"address": now.address, "mail": now.mail, "language": now.language},
    )
    if request.method == "POST" and asked.is_valid():
        services.choose(actor, **asked.cleaned_data)
        messages.success(request, _("You are told so from now on."))
        return redirect("notices:settings")
    context = {"form": asked, "followed": sheet(request, services.followed(actor))}
    return render(request, "notices/settings.html", context, status=422 if asked.errors else 200)


@task(services.OWN)
def follow(request: HttpRequest, actor: Actor, order_id: int) -> HttpResponseBase:
    """Follow an order, or follow it no more."""
    if request.POST.get("follow") == "no":
        services.unfollow(actor, order_id)
        messages.success(request, _("You follow this order no more."))
    else:
        services.follow(actor, order_id)
        messages.success(request, _("You follow this order: all that happens to it is told to you."))
    return back(request, "notices:settings")
