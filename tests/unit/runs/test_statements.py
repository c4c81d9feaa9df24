"""Statements that are written out read and write rows as the ORM does."""

import datetime as dt

import pytest
from django.utils import timezone

from analytics_automated.runs.models import StepRun, Submission
from analytics_automated.storage.statements import Columns, Statement

pytestmark = pytest.mark.django_db


@pytest.fixture
def step_run(submit) -> StepRun:
    submit()
    row = StepRun.objects.order_by("pk")[0]
    row.started = timezone.now()
    row.save()
    return StepRun.objects.get(pk=row.pk)


@pytest.mark.parametrize("model", [StepRun, Submission])
def test_a_row_that_is_read_by_its_columns_is_what_the_orm_reads(step_run, model) -> None:
    columns = Columns(model, "t")
    (row,) = Statement(f"SELECT {columns} FROM {model._meta.db_table} t WHERE t.id = %(key)s").rows(
        key=step_run.pk if model is StepRun else step_run.submission_id
    )
    read = columns.read(row)
    expected = model.objects.get(pk=read.pk)
    names = [field.attname for field in model._meta.concrete_fields]
    assert {name: getattr(read, name) for name in names} == {name: getattr(expected, name) for name in names}


def test_times_lists_and_ids_are_values_of_a_statement(step_run) -> None:
    statement = Statement("""
    SELECT id FROM runs_steprun
    WHERE id {among[keys]} AND submission_id = %(submission)s AND started <= %(now)s AND started < {later[hour]}
    """)
    found = statement.rows(
        keys=[step_run.pk, -1], submission=step_run.submission_id, now=timezone.now(), hour=dt.timedelta(hours=1)
    )
    assert found == [(step_run.pk,)]


def test_a_change_counts_its_rows(step_run) -> None:
    statement = Statement("UPDATE runs_steprun SET message = %(text)s WHERE id = %(key)s")
    assert statement.change(text="100 % done", key=step_run.pk) == 1
    assert statement.change(text="", key=-1) == 0
    assert StepRun.objects.get(pk=step_run.pk).message == "100 % done"
