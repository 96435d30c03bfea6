from typing import Any

import pytest
from tests.fakes.nvidia import NOW, SWID, FakeNvidia, resource

from adyton.errors import MalformedError
from adyton.evidence.nvidia.rim import Rim, authenticate_rim

VENDOR = FakeNvidia("hopper")
VALUES = VENDOR.golden("vbios")[1]


def read(**changes: Any) -> Rim:
    return authenticate_rim(VENDOR.rim("vbios", **changes), roots=VENDOR.rim_roots, at=NOW)


def test_golden_values_are_read_in_all_their_parts() -> None:
    found = read()
    assert (found.version, found.product, found.edition) == ("96.00.9F.00.01", "GH100", "GPU")
    assert found.tag_id == "tag"
    assert {index: list(item.values) for index, item in found.measurements.items()} == (
        VENDOR.golden("vbios")
    )
    assert found.measurements[1].name == "Measurement_1"
    assert [item.common_name for item in found.path.certificates] == [
        VENDOR.recipes[role].name for role in ("rim_root", "rim_family", "rim_line", "rim_leaf")
    ]


def test_a_measurement_that_is_not_in_use_is_not_compared() -> None:
    resources = resource(1, VALUES, active="False") + resource(2, VALUES)
    assert list(read(resources=resources).measurements) == [2]


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param("", id="none"),
        pytest.param(resource(1, VALUES, active="False"), id="none in use"),
        pytest.param(resource(1, VALUES) * 2, id="twice"),
        pytest.param(resource(1, VALUES, active="False") + resource(1, VALUES), id="twice, unused"),
        pytest.param(resource("01", VALUES), id="index"),
        pytest.param(resource("254", VALUES), id="large index"),
        pytest.param(resource("-1", VALUES), id="negative index"),
        pytest.param(resource(1, VALUES, active="true"), id="active"),
        pytest.param(resource(1, VALUES, type="File"), id="type"),
        pytest.param(resource(1, VALUES, size="47"), id="size"),
        pytest.param(resource(1, VALUES, alternatives="1"), id="fewer alternatives"),
        pytest.param(resource(1, VALUES, alternatives="3"), id="more alternatives"),
        pytest.param(resource(1, []), id="no alternative"),
        pytest.param(resource(1, [VALUES[0]] * 65), id="many alternatives"),
        pytest.param(resource(1, VALUES, minSvn="3"), id="an unknown attribute"),
        pytest.param(resource(1, VALUES, name=""), id="no name"),
        pytest.param(resource(1, VALUES).replace(VALUES[1].hex(), "z" * 96), id="no digits"),
        pytest.param(resource(1, VALUES).replace("></R", "><File></File></R"), id="a child"),
        pytest.param(resource(1, VALUES).replace("Resource", "File"), id="no measurement"),
    ],
)
def test_a_payload_of_another_form_is_malformed(resources: str) -> None:
    with pytest.raises(MalformedError):
        read(resources=resources)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"head": ""}, id="no tag"),
        pytest.param({"head": ' patch="true" tagId="tag"'}, id="a patch"),
        pytest.param({"head": ' supplemental="true" tagId="tag"'}, id="supplemental"),
        pytest.param({"version": "\u200b"}, id="version"),
        pytest.param({"parts": "<Payload></Payload>"}, id="two payloads"),
        pytest.param({"content": f'<Other xmlns="{SWID}"></Other>'}, id="another document"),
    ],
)
def test_a_document_of_another_form_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(**changes)


def test_a_document_that_does_not_say_who_made_it_is_malformed() -> None:
    content = VENDOR.content("vbios").replace('name="Fake" ', "")
    with pytest.raises(MalformedError, match="who made it"):
        read(content=content)
