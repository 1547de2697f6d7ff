"""The service does what its OpenAPI document says: no 5xx, declared statuses, types and shapes.

``WUQU_EXAMPLES`` sets the number of examples per operation; then they are random.
"""

import pytest
import schemathesis
from examples import examples
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ensure_resource_availability,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from api.app import create_app
from api.examples import body_examples
from api.options import OPTION_NAMES
from api.settings import Settings
from gis.jobs.model import TaskKind
from gis.jobs.plans import Plans
from gis.jobs.work import Bench

EXAMPLES = examples(15)
# A drawing takes a second; the long runs try it as often as anything else.
DRAWINGS = examples(4)
# A map is drawn once, which may take this long on a machine that others use too.
PATIENCE_S = 120
CHECKS = [
    not_a_server_error,
    allow_header_conformance,
    content_type_conformance,
    ensure_resource_availability,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
]
# The document without its examples, which need a plan.
PATHS = FastAPI.openapi(create_app(Settings()))["paths"]
OPERATIONS = [(path, method.upper()) for path, methods in PATHS.items() for method in methods]
POSTS = [
    ("/v1/site-checks", "POST"),
    ("/v1/site-checks/batch", "POST"),
    ("/v1/plan/balance", "POST"),
]
# What no schema can say: whether an outline is valid and lies in the plan, whether a code of a land
# use exists, whether a text is one line, whether four numbers are a box. A request that fits the
# document may be refused for that. A batch is read by a worker, after it was taken in.
EXEMPT = {
    positive_data_acceptance: [
        *POSTS,
        ("/v1/records/{record_id}/decisions", "POST"),
        ("/v1/layers/{layer_id}", "GET"),
        ("/v1/site-search", "POST"),
    ],
    negative_data_rejection: [("/v1/site-checks/batch", "POST")],
}


@pytest.fixture(scope="module")
def schema(plan, tmp_path_factory):
    patient = {"check_budget_s": PATIENCE_S, "heavy_wait_s": PATIENCE_S}
    db = tmp_path_factory.mktemp("db") / "records.sqlite"
    app = create_app(Settings(db=db, job_workers=0, **patient), plan=plan)
    loaded = schemathesis.openapi.from_asgi("/openapi.json", app)
    loaded.app = app
    yield loaded
    shutdown_lifespans()


@pytest.fixture(scope="module")
def known(schema, plan):
    """Path parameters that exist: a record, a layer, a rule, a finished job with a result."""
    case = schema["/v1/site-checks"]["POST"].Case(
        body=body_examples(plan)["application/json"], media_type="application/json"
    )
    made = case.call(timeout=PATIENCE_S).json()["id"]
    return {
        "check_id": made,
        "record_id": made,
        "layer_id": "zones",
        "rule_id": plan.rulebook.rules[0].id,
        "project_id": "P06",
        "job_id": finished_job(schema, plan),
        "suffix": "csv",
    }


def finished_job(schema, plan) -> str:
    """Hand in a job and work it off; one that goes on would be watched for ever."""
    case = schema["/v1/site-checks/batch"]["POST"].Case(
        body=body_examples(plan)["application/json"], media_type="application/json"
    )
    made = case.call(timeout=PATIENCE_S).json()["id"]
    state = schema.app.state.wuqu
    bench = Bench(state.jobs, state.settings.job_folder, Plans(plan))
    for kind in (None, TaskKind.csv):
        if kind is not None:
            state.jobs.want(made, kind)
        while (task := state.jobs.claim("here:1/x")) is not None:
            bench.work(task)
    return made


def cases(operation, known, plan):
    """Requests that fit the document, requests that do not, and requests about what exists."""
    parameters = {parameter.name for parameter in operation.iter_parameters()}
    choices = [operation.as_strategy(GenerationMode.POSITIVE)]
    if parameters:
        choices.append(operation.as_strategy(GenerationMode.NEGATIVE))
    path = {name: value for name, value in known.items() if name in parameters}
    if path:
        choices.append(operation.as_strategy(path_parameters=path))
    if (operation.path, operation.method.upper()) in POSTS:
        # Options of every kind on a site that can be checked.
        choices += [
            operation.as_strategy(mode, body=body, media_type=kind)
            for kind, body in body_examples(plan).items()
            for mode in GenerationMode
        ]
    return st.one_of(choices)


def test_every_operation_of_the_document_is_tried(schema):
    described = {
        (result.ok().path, result.ok().method.upper()) for result in schema.get_all_operations()
    }
    assert described == set(OPERATIONS)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_an_operation_answers_as_its_document_says(schema, known, plan, path, method):
    operation = schema[path][method]
    checks = [check for check in CHECKS if (path, method) not in EXEMPT.get(check, [])]

    @settings(
        max_examples=DRAWINGS if path.startswith("/maps/") else EXAMPLES,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(case=cases(operation, known, plan))
    def conforms(case):
        case.validate_response(case.call(timeout=PATIENCE_S), checks=checks)

    conforms()


def test_the_document_names_every_option_of_a_check_and_no_other():
    parameters = PATHS["/v1/site-checks"]["post"]["parameters"]
    assert {p["name"] for p in parameters} == set(OPTION_NAMES)
    assert not any(p["required"] for p in parameters)
