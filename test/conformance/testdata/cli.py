"""Runs calls through Debian's AWS CLI, one a line on standard input, in one process: starting the CLI takes longer than what it does.

A call is {"service", "operation", "input"}; its result {"status", "output", "error"}, or {"unknown": true} when this CLI is older than the operation. Inputs
come with their scalars as texts, and get the types that the CLI's own model gives them.
"""
import contextlib
import io
import json
import os
import sys
import tempfile

from awscli.clidriver import create_clidriver
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError


class Unknown(Exception):
    """A member that this CLI does not know."""


def typed(shape, value):
    if shape.type_name == "structure":
        names = {name.lower(): name for name in shape.members}
        result = {}
        for name, member in (value or {}).items():
            if name.lower() not in names:
                raise Unknown(name)
            result[names[name.lower()]] = typed(shape.members[names[name.lower()]], member)
        return result
    if shape.type_name == "list":
        return [typed(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: typed(shape.value, item) for key, item in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("float", "double"):
        return float(value)
    if shape.type_name == "boolean":
        return value == "true"
    return value


def arguments(driver, directory, call):
    model = driver.session.get_service_model(driver_service(driver, call["service"]))
    operation = model.operation_model(call["operation"])
    args = ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"], "--output", "json", call["service"], xform_name(call["operation"], "-")]
    if call["input"] and not operation.input_shape:
        raise Unknown(", ".join(call["input"]))
    given = typed(operation.input_shape, call["input"]) if operation.input_shape else {}
    body = operation.input_shape and operation.input_shape.serialization.get("payload")
    if body in given and operation.input_shape.members[body].type_name == "blob":
        path = os.path.join(directory, "body")
        with open(path, "w", encoding="utf-8") as file:
            file.write(given.pop(body))
        args += ["--" + xform_name(body, "-"), path]
    if operation.has_streaming_output:  # beside a file, the CLI wants all of the input as options
        for name, value in given.items():
            args += ["--" + xform_name(name, "-"), value]
    elif given:
        args += ["--cli-input-json", json.dumps(given)]
    if operation.has_streaming_output:
        args.append(os.path.join(directory, "answer"))
    return args, operation.has_streaming_output


def driver_service(driver, name):
    return {"s3api": "s3"}.get(name, name)


def run(loader, directory, call):
    driver = create_clidriver()  # a new one for each call, since customizations keep what the last one said
    driver.session.register_component("data_loader", loader)
    try:
        args, streaming = arguments(driver, directory, call)
    except (UnknownServiceError, OperationNotFoundError, Unknown) as problem:
        return {"unknown": True, "error": str(problem)}
    out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = driver.main(args)
        out.flush()
    text = out.buffer.getvalue().decode()
    output = json.loads(text) if text.strip() else {}
    if streaming and status == 0:
        with open(os.path.join(directory, "answer"), encoding="utf-8") as file:
            output["Body"] = file.read()
    return {"status": status, "output": output, "error": err.getvalue()}


def main():
    loader = create_clidriver().session.get_component("data_loader")  # which keeps the models that it has read
    with tempfile.TemporaryDirectory() as directory:
        for line in sys.stdin:
            print(json.dumps(run(loader, directory, json.loads(line))), flush=True)


main()
