"""The Python client's round: CRUD, selectors, watch, the patches, exec, log and delete. Prints what it saw."""

import threading

from kubernetes import client, config, watch
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
