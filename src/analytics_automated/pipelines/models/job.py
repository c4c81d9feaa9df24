"""Workflows that users may call."""

from typing import Any

from django.db import models

from analytics_automated.pipelines.definitions import JobDefinition
from analytics_automated.pipelines.models.fields import OrderedJSONField
from analytics_automated.pipelines.models.rows import DefinitionRow, NamedRow, OwnedRow, as_mapping
from analytics_automated.pipelines.models.shipped import ShippedFile
from analytics_automated.pipelines.models.snapshot import Snapshot
from analytics_automated.pipelines.models.task import ParameterColumns, Task
from analytics_automated.storage.statements import Columns, Statement


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of Jobs."""

    def called(self, name: str) -> "Job | None":
        """The job of that name, or else of that alias; none where there is none. See also `job_with_snapshot`."""
        job = self.filter(name=name).first()
        return job or next((each for each in self.exclude(aliases=[]) if name in each.aliases), None)


class Job(DefinitionRow):
    """A workflow that users may call: ordered Steps, Validators, one web service."""

    name = models.CharField(max_length=64, unique=True)
    pipeline = models.CharField(max_length=64, help_text="The pipeline that owns it.")
    title = models.CharField(max_length=255, blank=True)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=64, blank=True)
    runnable = models.BooleanField(default=False, help_text="Callers may submit to it.")
    access = OrderedJSONField(default="public", blank=True, help_text="public, login, or a list of groups.")
    contact = models.CharField(max_length=255, blank=True)
    citation = models.TextField(blank=True)
    licence = models.TextField(blank=True)
    terms = models.TextField(blank=True)
    on_failure = models.CharField(
        max_length=8,
        choices=[(each, each) for each in ("cancel", "finish")],
        default="cancel",
        help_text="What becomes of running siblings.",
    )
    no_inputs = models.BooleanField(
        default=False, help_text="Callers send no file. Else, with no inputs here: those that the steps leave open."
    )
    no_results = models.BooleanField(
        default=False, help_text="Callers get no file. Else, with no results here: every published output."
    )
    limits = OrderedJSONField(null=True, blank=True, help_text="How much may be under way.")
    retention = models.CharField(max_length=32, blank=True, help_text="How long submissions are kept, such as 30d.")
    schedule = OrderedJSONField(null=True, blank=True, help_text="When it is submitted by itself.")
    deprecated = OrderedJSONField(null=True, blank=True, help_text="That callers should move on.")
    aliases = OrderedJSONField(default=list, blank=True, help_text="Other names of the job.")
    snapshot = models.ForeignKey(
        Snapshot, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="jobs"
    )
    """The plan of the job as it is now; none while it could not run."""

    objects = JobQuerySet.as_manager()

    columns = (
        *("title", "description", "version", "runnable", "access", "contact", "citation", "licence", "terms"),
        *("on_failure", "limits", "retention", "schedule", "deprecated", "aliases"),
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def to_definition(self) -> JobDefinition:
        """The job as a pipeline file would define it. Raises pydantic's `ValidationError`."""
        return JobDefinition.model_validate(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """The job's keys, as a pipeline file has them."""
        inputs, everywhere = self._inputs_as_data()
        results = {row.name: row.columns_as_data() for row in self.results.all()}
        return {
            **self.columns_as_data(),
            **({"inputs": inputs} if inputs or self.no_inputs else {}),
            "parameters": as_mapping(self.parameters.all()),
            "validators": everywhere,
            "steps": [step.to_data() for step in self.steps.all()],
            **({"results": results} if results or self.no_results else {}),
            "examples": [example.columns_as_data() for example in self.examples.all()],
        }

    def _inputs_as_data(self) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """The inputs with their validators, and the validators of every input."""
        inputs, everywhere = as_mapping(self.inputs.all()), []
        for validator in self.validators.all():
            use = validator.columns_as_data()
            if validator.input:
                inputs.setdefault(validator.input, {}).setdefault("validators", []).append(use)
            else:
                everywhere.append(use)
        return inputs, everywhere

    def take_definition(self, definition: JobDefinition, tasks: dict[str, Task]) -> None:
        """Become what the definition says, and save, with all rows that belong to it but for shipped files."""
        data = definition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        self.take_columns(data)
        self.no_inputs, self.no_results = definition.inputs == {}, definition.results == {}
        self.save()
        inputs = data.get("inputs") or {}
        validators = [("", use) for use in data.get("validators", [])]
        validators += [(name, use) for name, each in inputs.items() for use in each.pop("validators", [])]
        JobInput.take_mapping(self, inputs)
        JobParameter.take_mapping(self, data.get("parameters", {}))
        Validator.replace_all(self, (({"input": name}, use) for name, use in validators))
        Step.replace_all(self, (({"task": tasks[each["task"]]}, each) for each in data["steps"]))
        JobResult.take_mapping(self, data.get("results") or {})
        Example.replace_all(self, (({}, each) for each in data.get("examples", [])))


class JobInput(NamedRow):
    """A file, or several, that a caller sends."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="inputs")
    title = models.CharField(max_length=255, blank=True, help_text="What people see.")
    description = models.TextField(blank=True, help_text="Help for people.")
    optional = models.BooleanField(default=False, help_text="May be left out.")
    many = models.BooleanField(default=False, help_text="Several files may be sent.")
    max_size = models.CharField(max_length=32, blank=True, help_text="Most bytes of one file, such as 10MB.")
    max_files = models.PositiveIntegerField(null=True, blank=True, help_text="Most files.")
    unpack = OrderedJSONField(default=list, blank=True, help_text="Archives that are taken apart: zip, tar.")

    owner = "job"
    columns = ("title", "description", "optional", "many", "max_size", "max_files", "unpack")

    class Meta:
        ordering = ("job", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="input_name_once_per_job")]


class JobParameter(ParameterColumns):
    """A parameter under the caller's name: sets a step's parameter, or is the job's own."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parameters")
    sets = OrderedJSONField(default=list, blank=True, help_text="The step.parameter, or several, that it sets.")
    aliases = OrderedJSONField(default=list, blank=True, help_text="Other names of it.")
    advanced = models.BooleanField(  # null: as the task says
        null=True, blank=True, default=None, help_text="Folded away in forms; as the task says unless said."
    )

    owner = "job"
    columns = (*ParameterColumns.columns, "sets", "aliases")

    class Meta:
        ordering = ("job", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="parameter_name_once_per_job")]


class Step(OwnedRow):
    """A Job's use of one Task."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=64, blank=True, help_text="The task's unless said.")
    ordering = models.PositiveIntegerField(null=True, blank=True, help_text="Equal values run side by side.")
    needs = OrderedJSONField(null=True, blank=True, help_text="Steps that must end before, as an explicit graph.")
    inputs = OrderedJSONField(default=dict, blank=True, help_text='Where inputs come from: {"table": "search.hits"}.')
    parameters = OrderedJSONField(default=dict, blank=True, help_text="Fixed values of the task's parameters.")
    when = models.TextField(blank=True, help_text="Condition; false: the step is skipped.")
    scatter = OrderedJSONField(null=True, blank=True, help_text="One run per file of an input.")

    owner = "job"
    columns = ("name", "ordering", "needs", "inputs", "parameters", "when", "scatter")

    class Meta:
        ordering = ("job", "position", "pk")

    def __str__(self) -> str:
        return f"{self.job}.{self.name or self.task}"

    def to_data(self) -> dict[str, Any]:
        """The step's keys, as a pipeline file has them."""
        return {"task": self.task.name, **self.columns_as_data()}


class Validator(OwnedRow):
    """A named check of the data that a user sends, run before anything is queued."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="validators")
    input = models.CharField(max_length=64, blank=True, help_text="The input that it checks; every input unless said.")
    name = models.CharField(max_length=64)
    options = OrderedJSONField(default=dict, blank=True)

    owner = "job"
    columns = ("name", "options")

    class Meta:
        ordering = ("job", "position", "pk")

    def __str__(self) -> str:
        return f"{self.job}: {self.name}"


class JobResult(NamedRow):
    """An output that is shown to the caller, under its public name."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="results")
    source = models.CharField(max_length=130, help_text="The step.output.")
    title = models.CharField(max_length=255, blank=True, help_text="What people see.")

    owner = "job"
    columns = ("title",)

    class Meta:
        ordering = ("job", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="result_name_once_per_job")]

    def columns_as_data(self) -> dict[str, Any]:
        """The keys, of which `from` is no name that a column can have."""
        return {"from": self.source, **super().columns_as_data()}

    def take_columns(self, data: dict[str, Any]) -> None:
        """Take the keys."""
        self.source = data.pop("from")
        super().take_columns(data)


class Example(OwnedRow):
    """An example call, for people and for `aa test`."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="examples")
    title = models.CharField(max_length=255, blank=True, help_text="What it shows.")
    inputs = OrderedJSONField(default=dict, blank=True, help_text="Files below, by input.")
    parameters = OrderedJSONField(default=dict, blank=True, help_text="Parameters.")
    expect = OrderedJSONField(default=dict, blank=True, help_text="What must come of it.")

    owner = "job"
    columns = ("title", "inputs", "parameters", "expect")

    class Meta:
        ordering = ("job", "position", "pk")

    def __str__(self) -> str:
        return f"{self.job}: {self.title or f'example {self.position + 1}'}"


class JobFile(ShippedFile):
    """A file of a Job's examples or schedule, shipped from beside the pipeline file."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="files")

    owner = "job"

    class Meta:
        ordering = ("job", "position", "pk")
        constraints = [models.UniqueConstraint(fields=["job", "path"], name="file_once_per_job")]


_JOB = Columns(Job, "j")
_WITH_SNAPSHOT = Statement(f"""
SELECT {_JOB}, p.digest FROM pipelines_job j LEFT JOIN pipelines_snapshot p ON p.id = j.snapshot_id
WHERE j.name = %(name)s
""")  # noqa: S608 -- names of ours


def job_with_snapshot(name: str) -> Job | None:
    """The job of that name or alias, with its snapshot: what every call of a job begins with."""
    for row in _WITH_SNAPSHOT.rows(name=name):
        job = _JOB.read(row)
        if job.snapshot_id is not None:
            job.snapshot = Snapshot.kept(job.snapshot_id, row[-1])
        return job
    return Job.objects.select_related("snapshot").called(name)
