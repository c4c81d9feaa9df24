"""Who changed what, on the pages of what was changed."""

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.http import HttpRequest

from analytics_automated.pipelines.admin.differences import shown_difference
from analytics_automated.pipelines.admin.pages import FurtherPages, address_of
from analytics_automated.pipelines.configuration.versions import changes_of, history_lines

LINES_SHOWN = 25


class ShowsHistory(FurtherPages):
    """Rows whose history is that of the configuration, by whatever door it was changed."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's, where pipeline files do not have it; else all lines, each with the difference to the one before."""
        if not self.section:
            return super().history_view(request, object_id, extra_context)
        row = self.row_or_404(request, object_id)
        paginator = Paginator(changes_of(self.section, row.name), LINES_SHOWN)
        shown = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        lines = [
            {"change": line.change, "address": address_of(line.change), "difference": shown_difference(line.difference)}
            for line in history_lines(list(shown))
        ]
        may_look = request.user.has_perm("pipelines.view_change")
        title = f"History of the {self.opts.verbose_name} {row}"
        return self.page(
            request, "history.html", title, row, lines=lines, shown=shown, page_var=PAGE_VAR, may_look=may_look
        )
