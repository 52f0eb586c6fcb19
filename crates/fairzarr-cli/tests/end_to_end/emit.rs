//! `plan --emit slurm`: a script that submits the tasks, done here by a `sbatch` that does at once what it is given.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::TempDir;

use crate::support::{assert_same_tree, cells, convert, looks_complete, run};

/// Does each member of an array, or the one job; the first start of member 2 is killed, and asks to be done again.
const SBATCH: &str = r#"#!/bin/sh
job=$(mktemp "$PLACE/job.XXXXXX") && cat >"$job"
for word; do case $word in --array=1-*) last=${word#--array=1-} ;; esac; done
echo "$@" >>"$PLACE/submitted"
export SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID SLURM_RESTART_COUNT
for SLURM_ARRAY_TASK_ID in $(seq "${last:-1}"); do
    for SLURM_RESTART_COUNT in 0 1; do
        rm -f "$PLACE/requeued"
        FAIRZARR="$PROGRAM"
        [ "$SLURM_ARRAY_TASK_ID.$SLURM_RESTART_COUNT" = 2.0 ] && FAIRZARR="$PLACE/killed"
        export FAIRZARR
        sh "$job" >&2 && break
        [ -e "$PLACE/requeued" ] || exit 1
    done
done
echo 7
"#;

fn program(place: &std::path::Path, name: &str, text: &str) {
    let path = place.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_script_for_slurm_converts_although_a_task_is_killed() {
    let dir = TempDir::new().unwrap();
    let (whole, split) = (dir.path().join("whole.zarr"), dir.path().join("it's split.zarr"));
    let options = ["--chunk", "128,128"];
    convert(&cells(), &whole, &options).done();
    let script =
        run("plan", &cells(), &split, &[&options[..], &["--emit", "slurm", "--tasks", "3"]].concat())
            .done()
            .out;
    fs::write(dir.path().join("submit.sh"), script).unwrap();
    program(dir.path(), "sbatch", SBATCH);
    program(dir.path(), "scontrol", "#!/bin/sh\n[ \"$*\" = 'requeue 7_2' ] && touch \"$PLACE/requeued\"\n");
    program(dir.path(), "sleep", "#!/bin/sh\n");
    program(dir.path(), "killed", "#!/bin/sh\nkill -KILL $$\n");
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["submit.sh", "--partition=short"])
        .current_dir(dir.path())
        .env("PATH", path)
        .env("PLACE", dir.path())
        .env("PROGRAM", env!("CARGO_BIN_EXE_fairzarr"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "tasks 7, commit 7\n");
    let submitted = fs::read_to_string(dir.path().join("submitted")).unwrap();
    let submitted: Vec<&str> = submitted.lines().collect();
    assert!(submitted[0].contains("--array=1-3 --requeue") && submitted[0].ends_with("--partition=short"));
    assert!(submitted[1].contains("--dependency=afterok:7") && submitted[1].ends_with("--partition=short"));
    assert!(looks_complete(&split));
    assert_same_tree(&split, &whole);
}

#[test]
fn a_secret_is_not_written_into_a_script() {
    let dir = TempDir::new().unwrap();
    let target = dir.path().join("x.zarr");
    let secret = "aws_secret_access_key=hidden";
    let told = run("plan", &cells(), &target, &["--emit", "slurm", "--source-option", secret]).ends_with(2);
    assert!(told.err.contains("is a secret") && !told.err.contains("hidden"), "{told:?}");
}
