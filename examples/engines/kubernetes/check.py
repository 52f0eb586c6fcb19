"""Checks jobs.yaml without a cluster: by the schemas of Kubernetes, and by doing on this machine what its pods would do.

python check.py IMAGE TARGET TASKS

The commands are taken from the manifests. A pod that fails is started again as `backoffLimitPerIndex` and `backoffLimit` say; one whose
exit code is in the failure policy ends the job. Needs kubernetes-validate and PyYAML.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kubernetes_validate
import yaml


def pod(job: dict, settings: dict[str, str], index: int | None = None) -> None:
    """Runs the container of a job until it ends well, as often as the job allows."""
    spec = job["spec"]
    command = spec["template"]["spec"]["containers"][0]["command"]
    rules = spec.get("podFailurePolicy", {}).get("rules", [])
    final = {code for rule in rules for code in rule.get("onExitCodes", {}).get("values", [])}
    environment = {**os.environ, **settings}
    if index is not None:
        environment["JOB_COMPLETION_INDEX"] = str(index)
    for _ in range(1 + spec.get("backoffLimitPerIndex", spec.get("backoffLimit", 0))):
        code = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode
        if code == 0:
            return
        if code in final:
            break
    sys.exit(f"{job['metadata']['name']} {index if index is not None else ''}: exit code {code}")


def main() -> None:
    image, target, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])
    documents = list(yaml.safe_load_all(Path(__file__).with_name("jobs.yaml").read_text()))
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
    print(f"kubernetes: {len(documents)} documents keep the schemas of 1.31")
    jobs = {document["metadata"]["name"]: document for document in documents if document["kind"] == "Job"}
    config = next(document for document in documents if document["kind"] == "ConfigMap")
    run = jobs["brain-run"]["spec"]
    if run["completions"] != int(config["data"]["TASKS"]):
        sys.exit("completions and TASKS differ")
    settings = {**config["data"], "SOURCE": image, "TARGET": target, "TASKS": str(tasks)}
    pod(jobs["brain-plan"], settings)
    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(lambda index: pod(jobs["brain-run"], settings, index), range(tasks)):
            pass
    pod(jobs["brain-commit"], settings)
    print(f"kubernetes: the commands of the jobs were done by {tasks} tasks")


main()
