"""Claims of devices (DRA): what the conditions refuse is refused, and only that."""

from __future__ import annotations

from typing import Any

import pytest
from cluster import admitted
from hypothesis import given, settings
from hypothesis import strategies as st
from licensed import C910, H20, H200, POLICY, namespace

from twokey.deploy.enforce import claims, queues
from twokey.deploy.enforce.policy import ADMINS, END_USE_LABEL, Policy


def test_a_device_class_asks_for_the_name_that_the_driver_gives(real: Policy) -> None:
    made = {m["metadata"]["name"]: m for m in queues.device_classes(real)}
    (selector,) = made[H20]["spec"]["selectors"]
    assert selector["cel"]["expression"].endswith('productName == "NVIDIA H20"')
    assert all("[UNCHECKED]" in str(m["metadata"].get("annotations", "")) for m in made.values())


CLAIMS = claims.manifests(POLICY)


CLASSES = st.sampled_from([H200, H20, C910, "gpu.nvidia.com", "nic.example.com"])


REQUESTS = st.lists(
    st.one_of(
        CLASSES.map(lambda name: {"name": "r", "exactly": {"deviceClassName": name}}),
        st.lists(CLASSES, min_size=1, max_size=3).map(
            lambda names: {"name": "r", "firstAvailable": [{"name": "s", "deviceClassName": n} for n in names]}
        ),
    ),
    max_size=3,
)


def named_classes(requests: list[dict[str, Any]]) -> set[str]:
    found = {r["exactly"]["deviceClassName"] for r in requests if "exactly" in r}
    return found | {s["deviceClassName"] for r in requests for s in r.get("firstAvailable", [])}


@settings(deadline=None, max_examples=120)
@given(
    REQUESTS,
    st.sampled_from([None, "research", "consumer", "military"]),
    st.sampled_from(["training", "inference"]),
    st.sets(st.sampled_from(["research", "consumer"])),
    st.sampled_from(["resourceclaims", "resourceclaimtemplates"]),
)
def test_claims_are_refused_where_a_condition_refuses_the_chip_and_only_there(
    requests: list[dict[str, Any]], use: str | None, phase: str, approved: set[str], resource: str
) -> None:
    spec: dict[str, Any] = {"devices": {"requests": requests}} if requests else {}
    claim = {
        "metadata": {"name": "c", "labels": {END_USE_LABEL: use} if use else {}},
        "spec": spec if resource == "resourceclaims" else {"spec": spec},
    }
    refused = admitted(CLAIMS, resource, "CREATE", {"object": claim, "namespaceObject": namespace(phase, *approved)})
    names = named_classes(requests)
    wanted = [slug for slug in (H200, H20) if names & {slug, "gpu.nvidia.com"}]
    allowed = all(use in approved and POLICY.may_run(slug, str(use), phase) for slug in wanted)
    assert bool(refused) == (not allowed)


@pytest.mark.parametrize("resource", ["resourceclaims", "resourceclaimtemplates"])
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_a_claim_is_checked_when_it_is_made_and_when_it_is_changed(resource: str, operation: str) -> None:
    spec: dict[str, Any] = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": H200}}]}}
    claim = {"metadata": {"name": "c", "labels": {}}, "spec": spec if resource == "resourceclaims" else {"spec": spec}}
    assert admitted(CLAIMS, resource, operation, {"object": claim, "namespaceObject": namespace("training")})


@pytest.mark.parametrize("name", [C910, "npu.huawei.com", "nic.example.com"])
def test_where_a_share_is_counted_devices_are_claimed_in_a_phase(real: Policy, name: str) -> None:
    spec = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": name}}]}}
    claim = {"metadata": {"name": "c"}, "spec": spec}
    made = claims.manifests(real)
    outside = admitted(made, "resourceclaims", "CREATE", {"object": claim})
    assert bool(outside) == (name != "nic.example.com")
    inside = {"object": claim, "namespaceObject": namespace("training")}
    assert not admitted(made, "resourceclaims", "CREATE", inside)


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE"])
def test_only_licence_administrators_define_device_classes(operation: str) -> None:
    made = {"object": {"metadata": {"name": "mine"}, "spec": {}}}
    assert admitted(CLAIMS, "deviceclasses", operation, made)
    admin = {"request": {"operation": "CREATE", "userInfo": {"username": "a", "groups": [ADMINS]}}}
    assert not admitted(CLAIMS, "deviceclasses", "CREATE", {**made, **admin})
