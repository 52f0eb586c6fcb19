#!/bin/sh
# One image by tasks, and a folder of files, with GNU parallel.
#
#     sh convert.sh IMAGE TARGET FOLDER TARGETS TASKS [options of parallel]
#
# On several machines: `--sshloginfile nodes --workdir .`, with the places on a file system that all of them see.
set -eu
image=$1 target=$2 folder=$3 targets=$4 tasks=$5
shift 5

fairzarr plan "$image" "$target" --overwrite
seq "$tasks" | parallel --retries 5 --halt soon,fail=1 "$@" \
    fairzarr run "$image" "$target" --task "{}/$tasks" --jobs 1
fairzarr commit "$image" "$target"

# Done files are in the log, and are left out when the same is run again.
mkdir -p "$targets"
find "$folder" -name '*.ome.tif' -print0 | sort -z |
    parallel -0 --retries 3 --joblog "$targets/jobs.log" --resume "$@" \
        fairzarr convert {} "$targets"/'{= s:.*/::; s:\.ome\.tif$:.ome.zarr: =}' --resume --jobs 1 '&&' \
        fairzarr verify {} "$targets"/'{= s:.*/::; s:\.ome\.tif$:.ome.zarr: =}' --jobs 1
