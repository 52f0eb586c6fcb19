"""Does on this machine what the processes of main.nf would do: their script blocks, with retries as their directives say.

python check.py IMAGE TARGET TASKS

This is no Nextflow: the flow between the processes is not checked. What is checked is that each script is a working command, and that the
processes in this order convert an image although a task was killed.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def processes(text: str) -> dict[str, tuple[str, int]]:
    """Script and number of retries of each process."""
    found = {}
    for name, body in re.findall(r"^process (\w+) \{\n(.*?)^\}", text, re.DOTALL | re.MULTILINE):
        script = re.search(r'"""\n(.*?)"""', body, re.DOTALL)
        retries = re.search(r"maxRetries (\d+)", body)
        if script is None or retries is None:
            sys.exit(f"{name} has no script or does not say how often it is tried")
        found[name] = (script.group(1), int(retries.group(1)))
    return found


def run(process: tuple[str, int], **values: object) -> None:
    """Runs a script as Nextflow does: in bash, ending at the first error."""
    script, retries = process
    for name, value in values.items():
        script = script.replace("${" + name.replace("__", ".") + "}", str(value))
    if "${" in script:
        sys.exit(f"nobody gives a value to what is left in {script}")
    for _ in range(1 + retries):
        code = subprocess.run(["bash", "-ue", "-c", script], stdout=subprocess.DEVNULL).returncode
        if code == 0:
            return
        if code in (2, 3):
            break
    sys.exit(f"exit code {code} of {script}")


def main() -> None:
    image, target, tasks = sys.argv[1], sys.argv[2], int(sys.argv[3])
    found = processes(Path(__file__).with_name("main.nf").read_text())
    places = {"source": Path(image).resolve(), "target": target}
    run(found["FAIRZARR_PLAN"], **places)
    with ThreadPoolExecutor(2) as pool:
        one = lambda n: run(found["FAIRZARR_RUN"], **places, task_number=n, tasks=tasks, task__cpus=1)  # noqa: E731
        list(pool.map(one, range(1, tasks + 1)))
    run(found["FAIRZARR_COMMIT"], **places)
    run(found["FAIRZARR_CONVERT"], source=places["source"], target=f"{target}.one", task__cpus=1)
    print(f"nextflow: the scripts of {len(found)} processes were done, {tasks} tasks (no engine here, so not the flow between them)")


main()
