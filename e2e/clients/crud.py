"""The Python client's round: CRUD, selectors, watch, the patches, exec, log and delete; then the dynamic client's, with a
custom kind and server-side apply. Prints what it saw."""

import json
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.dynamic.exceptions import ConflictError, UnprocessibleEntityError
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

config.load_kube_config()
core = client.CoreV1Api()
apps = client.AppsV1Api()


def config_map(name, data, labels):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


for number in range(3):
    core.create_namespaced_config_map("default", config_map(f"py-{number}", {"n": str(number)}, {"app": "py", "n": str(number)}))
print("read", core.read_namespaced_config_map("py-1", "default").data)
listed = core.list_namespaced_config_map("default", label_selector="app=py,n notin (0)")
print("selected", [item.metadata.name for item in listed.items])
by_field = core.list_namespaced_config_map("default", field_selector="metadata.name=py-2")
print("field", [item.metadata.name for item in by_field.items])
page = core.list_namespaced_config_map("default", label_selector="app=py", limit=2)
rest = core.list_namespaced_config_map("default", label_selector="app=py", limit=2, _continue=page.metadata._continue)
print("pages", len(page.items), len(rest.items))
try:
    core.create_namespaced_config_map("default", config_map("py-1", {}, {}))
except ApiException as error:
    print("again", error.status, error.reason)

# Every change of one object arrives once and in order.
start = listed.metadata.resource_version
seen = []


def look_on():
    watcher = watch.Watch()
    for event in watcher.stream(
        core.list_namespaced_config_map, "default", label_selector="app=py", resource_version=start, timeout_seconds=30
    ):
        seen.append((event["type"], event["object"].metadata.name, sorted(event["object"].data.items())))
        if event["type"] == "DELETED":
            watcher.stop()


watching = threading.Thread(target=look_on)
watching.start()
replaced = core.read_namespaced_config_map("py-1", "default")
replaced.data = {"n": "one"}
core.replace_namespaced_config_map("py-1", "default", replaced)
try:
    core.replace_namespaced_config_map("py-1", "default", listed.items[0])
except ApiException as error:
    print("stale", error.status, error.reason)
core.patch_namespaced_config_map("py-1", "default", {"data": {"strategic": "1"}})
core.patch_namespaced_config_map("py-1", "default", [{"op": "add", "path": "/data/json", "value": "1"}])
core.delete_namespaced_config_map("py-1", "default")
watching.join()
for event in seen:
    print("event", *event)

deployment = client.V1Deployment(
    metadata=client.V1ObjectMeta(name="py"),
    spec=client.V1DeploymentSpec(
        replicas=0,
        selector=client.V1LabelSelector(match_labels={"app": "py"}),
        template=client.V1PodTemplateSpec(
            metadata=client.V1ObjectMeta(labels={"app": "py"}),
            spec=client.V1PodSpec(containers=[client.V1Container(name="main", image="t8s.local/busybox:1")]),
        ),
    ),
)
apps.create_namespaced_deployment("default", deployment)
apps.patch_namespaced_deployment(
    "py", "default", {"spec": {"template": {"spec": {"containers": [{"name": "more", "image": "t8s.local/busybox:1"}]}}}}
)
print("strategic", [c.name for c in apps.read_namespaced_deployment("py", "default").spec.template.spec.containers])
apps.patch_namespaced_deployment_scale("py", "default", {"spec": {"replicas": 0}})
print("scale", apps.read_namespaced_deployment_scale("py", "default").spec.replicas or 0)
apps.delete_namespaced_deployment("py", "default")

pod = client.V1Pod(
    metadata=client.V1ObjectMeta(name="py", labels={"app": "py"}),
    spec=client.V1PodSpec(
        termination_grace_period_seconds=0,
        containers=[
            client.V1Container(name="main", image="t8s.local/busybox:1", command=["sh", "-c", "echo from python; exec sleep 1000"])
        ],
    ),
)
core.create_namespaced_pod("default", pod)
for event in watch.Watch().stream(core.list_namespaced_pod, "default", field_selector="metadata.name=py", timeout_seconds=60):
    if event["object"].status.phase == "Running":
        break
said = stream(
    core.connect_get_namespaced_pod_exec, "py", "default", command=["hostname"], stdout=True, stderr=True, stdin=False, tty=False
)
print("exec", said.strip())
print("log", core.read_namespaced_pod_log("py", "default").strip())
core.delete_namespaced_pod("py", "default", grace_period_seconds=0)
core.delete_collection_namespaced_config_map("default", label_selector="app=py")
print("left", len(core.list_namespaced_config_map("default", label_selector="app=py").items))
try:
    core.read_namespaced_config_map("py-1", "default")
except ApiException as error:
    print("gone", error.status, error.reason)

custom = client.CustomObjectsApi()
print("version", client.VersionApi().get_code().git_version.startswith("v1.36."))
print("groups", any(group.name == "apps" for group in client.ApisApi().get_api_versions().groups))
print("custom", len(custom.list_cluster_custom_object("rbac.authorization.k8s.io", "v1", "clusterroles")["items"]) > 10)

# Kinds that the library was not made for: found by discovery, applied, watched.
extensions = client.ApiextensionsV1Api()
schema = {
    "type": "object",
    "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 9}, "colour": {"type": "string"}}}},
}
extensions.create_custom_resource_definition(
    {
        "metadata": {"name": "boxes.python.example.com"},
        "spec": {
            "group": "python.example.com",
            "scope": "Namespaced",
            "names": {"kind": "Box", "plural": "boxes"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
)
for event in watch.Watch().stream(extensions.list_custom_resource_definition, timeout_seconds=30):
    conditions = event["object"].status.conditions or []
    if any(condition.type == "Established" and condition.status == "True" for condition in conditions):
        break
dynamic_client = dynamic.DynamicClient(client.ApiClient())
boxes = dynamic_client.resources.get(api_version="python.example.com/v1", kind="Box")


def box(**spec):
    return {"apiVersion": "python.example.com/v1", "kind": "Box", "metadata": {"name": "one", "namespace": "default"}, "spec": spec}


def apply(manager, force=False, **spec):
    # Text: its REST layer sends no other body under a YAML type.
    body = json.dumps(box(**spec))
    return boxes.server_side_apply(body=body, name="one", namespace="default", field_manager=manager, force_conflicts=force)


apply("one", size=1, colour="red")
try:
    apply("two", size=2)
except ConflictError as error:
    print("conflict", error.status, [cause["field"] for cause in json.loads(error.body)["details"]["causes"]])
apply("two", force=True, size=2)
applied = apply("one", colour="blue")
print("applied", applied.spec.size, applied.spec.colour, [entry.manager for entry in applied.metadata.managedFields])
try:
    boxes.create(body=box(size=10), namespace="default")
except UnprocessibleEntityError as error:
    print("invalid", error.status)
boxes.patch(body={"spec": {"size": 3}}, name="one", namespace="default", content_type="application/merge-patch+json")
for event in boxes.watch(namespace="default", resource_version=applied.metadata.resourceVersion, timeout=30):
    print("event", event["type"], event["object"].spec.size)
    break
boxes.delete(name="one", namespace="default")
print("boxes", len(boxes.get(namespace="default").items))
extensions.delete_custom_resource_definition("boxes.python.example.com")
