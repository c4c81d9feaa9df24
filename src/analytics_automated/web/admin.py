"""Pages of accounts: Django's, in the theme of the others."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

from analytics_automated.pipelines.admin.theme import (
    AdminPasswordChangeForm,
    ModelAdmin,
    UserChangeForm,
    UserCreationForm,
)

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class AccountAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    """Who may log in."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = False

    class Media:
        css = {"all": ("pipelines/admin.css",)}


@admin.register(Group)
class AccountGroupAdmin(GroupAdmin, ModelAdmin):
    """Accounts that share permissions."""

    compressed_fields = False

    class Media:
        css = {"all": ("pipelines/admin.css",)}
