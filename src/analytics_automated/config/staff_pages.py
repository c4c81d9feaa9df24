"""How the pages for staff look, and what their sidebar holds."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

_GROUPS: dict[str, dict[str, str]] = {
    "Configuration": {
        "pipelines.job": "conversion_path",
        "pipelines.task": "terminal",
        "pipelines.backend": "dns",
        "pipelines.queuetype": "format_list_bulleted",
        "pipelines.change": "history",
    },
    "What happened": {
        "runs.submission": "inbox",
        "runs.steprun": "linear_scale",
        "runs.attempt": "replay",
        "runs.result": "output",
        "runs.event": "list_alt",
        "runs.health": "monitor_heart",
        "storage.blob": "database",
        "pipelines.snapshot": "photo_camera",
    },
    "Accounts": {"auth.user": "person", "auth.group": "group"},
}
"""Models, each with the name of its symbol, by the sidebar's groups."""


def navigation(request: "HttpRequest") -> list[dict[str, Any]]:
    """The sidebar: what is registered and this person may see."""
    # The settings read this module, and so does every process: also those that have no pages.
    from django.contrib import admin
    from django.urls import reverse

    known = {model._meta.label_lower: (model, pages) for model, pages in admin.site._registry.items()}
    groups: list[dict[str, Any]] = []
    for title, symbols in _GROUPS.items():
        items = [
            {
                "title": str(known[label][0]._meta.verbose_name_plural).capitalize(),
                "icon": symbol,
                "link": reverse(f"admin:{label.replace('.', '_')}_changelist"),
            }
            for label, symbol in symbols.items()
            if label in known and known[label][1].has_view_permission(request)
        ]
        if items:
            groups.append({"title": title, "items": items, "separator": bool(groups)})
    return groups


THEME: dict[str, Any] = {
    "SITE_TITLE": "A_A",
    "SITE_HEADER": "A_A",
    "SITE_SUBHEADER": "Analytics Automated",
    "SITE_SYMBOL": "hub",
    "SITE_URL": "/",
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "4px",
    "SIDEBAR": {"show_search": False, "navigation": "analytics_automated.config.staff_pages.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(70.4% .14 182.503)",
            "600": "oklch(47.5% .085 184.704)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .05 190)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
}
"""Unfold's settings."""
