"""The theme of all pages for staff: django-unfold. The only module that names it, so that it can be exchanged.

Unfold has no types. What it makes of Django's classes has the same methods, so the type checker sees Django's.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib import admin
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from django.forms import (
        CheckboxInput,
        CheckboxSelectMultiple,
        ClearableFileInput,
        NumberInput,
        Select,
        Textarea,
        TextInput,
    )

    ModelAdmin = admin.ModelAdmin[Any]
    StackedInline = admin.StackedInline[Any, Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin, StackedInline, TabularInline
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminFileFieldWidget as ClearableFileInput
    from unfold.widgets import UnfoldAdminIntegerFieldWidget as NumberInput
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextareaWidget as Textarea
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
    from unfold.widgets import UnfoldBooleanSwitchWidget as CheckboxInput

__all__ = [
    "AdminPasswordChangeForm",
    "CheckboxInput",
    "CheckboxSelectMultiple",
    "ClearableFileInput",
    "ModelAdmin",
    "NumberInput",
    "Select",
    "StackedInline",
    "TabularInline",
    "TextInput",
    "Textarea",
    "UserChangeForm",
    "UserCreationForm",
]
