"""One image by tasks, and a folder of files, on a cluster of Dask.

python convert.py IMAGE TARGET FOLDER TARGETS TASKS [SCHEDULER]

Without a scheduler's address a cluster of two processes is started on this machine. With KILL=1 in the environment one of the
workers is killed while the image is converted, as a node that is lost.
"""

import os
import sys
import threading
import time
from pathlib import Path

from distributed import Client, LocalCluster

import fairzarr.dask


def kill_one(client: Client, target: Path) -> None:
    """Kills a worker as soon as the first task has written down what it did."""
    while not any((target / ".fairzarr" / "journal").glob("*")):
        time.sleep(0.01)
        if (target / "zarr.json").exists():
            return
    client.run(os._exit, 9, workers=[next(iter(client.nthreads()))], on_error="ignore")
    print("dask: a worker was killed")


def main() -> None:
    image, target, folder, targets = map(Path, sys.argv[1:5])
    tasks = int(sys.argv[5])
    if len(sys.argv) > 6:
        client = Client(sys.argv[6])
    else:
        client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
    if os.environ.get("KILL"):
        threading.Thread(target=kill_one, args=(client, target), daemon=True).start()
    report = fairzarr.dask.convert(client, image, target, tasks=tasks)
    print(f"dask: {report.objects} objects of {report.bytes} bytes")
    pairs = [(file, targets / f"{file.name[: -len('.ome.tif')]}.ome.zarr") for file in sorted(folder.glob("*.ome.tif"))]
    found = fairzarr.dask.convert_all(client, pairs)
    for one in found:
        if not one:
            print(f"dask: {one.source}: {one.error or 'not proved'}")
    print(f"dask: {sum(map(bool, found))} of {len(found)} files converted and proved")
    client.shutdown()
    sys.exit(0 if all(found) else 1)


if __name__ == "__main__":
    main()
