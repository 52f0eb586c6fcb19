#!/bin/sh
# A folder of files as an array job of Slurm; each member takes every SHARE-th file, so that a million files need no million jobs.
#
#     sh folder.sh FOLDER TARGETS MEMBERS [options of sbatch]
#
# One image by tasks is `fairzarr plan IMAGE TARGET --emit slurm`.
set -eu
folder=$(realpath "$1") targets=$(realpath -m "$2") members=$3
shift 3
mkdir -p "$targets"
list=$targets/files.txt
find "$folder" -name '*.ome.tif' | sort >"$list"

FOLDER_LIST=$list FOLDER_TARGETS=$targets FOLDER_MEMBERS=$members sbatch --parsable --job-name=fairzarr-folder \
    --array="1-$members" --requeue --open-mode=append --export=ALL "$@" <<'JOB'
#!/bin/bash
failed=0
while IFS= read -r file; do
    name=${file##*/}
    store=$FOLDER_TARGETS/${name%.ome.tif}.ome.zarr
    done=$FOLDER_TARGETS/.done/$name
    [ -e "$done" ] && continue
    # What a killed member has begun is finished; done is what was proved.
    if fairzarr convert "$file" "$store" --resume --jobs "${SLURM_CPUS_PER_TASK:-1}" </dev/null &&
        fairzarr verify "$file" "$store" --jobs "${SLURM_CPUS_PER_TASK:-1}" </dev/null; then
        mkdir -p "$FOLDER_TARGETS/.done" && touch "$done"
    else
        echo "failed: $file" >&2
        failed=1
    fi
done < <(awk -v first="$SLURM_ARRAY_TASK_ID" -v step="$FOLDER_MEMBERS" 'NR % step == first % step' "$FOLDER_LIST")
exit "$failed"
JOB
