//! `fairzarr plan --emit`: what submits the tasks of a planned conversion to a batch system.

use fairzarr_convert::Plan;
use fairzarr_store::Location;
use serde_json::json;

use crate::args::{EmitArg, Planning, StoreArgs};
use crate::exit::{Code, Failure};
use crate::mistake::is_secret;
use crate::print;
use crate::telling;

/// Decoded bytes of a task, where nobody says how many tasks there are to be: some minutes of one core.
const TASK_BYTES: u64 = 8 << 30;
/// Arrays of Slurm have at most 1000 members unless a cluster is set up otherwise.
const MOST_TASKS: u64 = 1000;

/// Prints the script.
pub(super) fn emit(args: &Planning, plan: &Plan, kind: EmitArg) -> Result<Code, Failure> {
    let EmitArg::Slurm = kind;
    let most = plan.task_count().max(1);
    let tasks = match args.tasks {
        Some(tasks) => u64::from(tasks).min(most),
        None => plan.source_bytes().div_ceil(TASK_BYTES).clamp(1, MOST_TASKS.min(most)),
    };
    let script = slurm(args, tasks)?;
    if telling::is_json() {
        let members = json!({"form": "slurm", "text": script, "output": null});
        return print::outcome("document", Code::Done, &args.split.target, members);
    }
    print::document(script.as_bytes())?;
    Ok(Code::Done)
}

fn slurm(args: &Planning, tasks: u64) -> Result<String, Failure> {
    let split = &args.split;
    let places = format!("{} {}", quoted(&place(&split.source)?), quoted(&place(&split.target)?));
    let settings = format!("{}{}", labels(&split.labels)?, settings(&split.store)?);
    let memory = split.choices.memory;
    let name = place(&split.target)?;
    let name = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
    Ok(format!(
        r#"#!/bin/sh
# Submits {tasks} tasks and, when all of them are done, the commit. Options of sbatch are passed on to both:
#     sh THIS --partition=short --time=2:00:00 --cpus-per-task=4
# The program is FAIRZARR, or fairzarr on the PATH of the nodes. The places must be the same on all nodes.
set -eu

tasks=$(sbatch --parsable --job-name={run_name} --array=1-{tasks} --requeue --open-mode=append --signal=B:TERM@60 "$@" <<'JOB'
#!/bin/sh
# A task may be done again, late, or twice at the same time. SIGTERM, as before the end of the time limit, stops it between
# two blocks, and the next start goes on from there.
"${{FAIRZARR:-fairzarr}}" run {places} --task "$SLURM_ARRAY_TASK_ID/{tasks}" \
    --jobs "${{SLURM_CPUS_PER_TASK:-1}}" --memory {memory}{settings} --progress plain &
task=$!
trap 'kill -TERM "$task"' TERM
code=0
wait "$task" || code=$?
# A signal ends the waiting, not yet the task.
while kill -0 "$task" 2>/dev/null; do
    code=0
    wait "$task" || code=$?
done
# A request that makes no sense, a source that cannot be read, and a target that has another plan or none stay so; all else may
# be better next time.
case $code in
0 | 2 | 3 | 8 | 9 | 12 | 13) exit "$code" ;;
esac
if [ "${{SLURM_RESTART_COUNT:-0}}" -lt 5 ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
    # Until Slurm has taken the job away.
    sleep 60
fi
exit "$code"
JOB
)
commit=$(sbatch --parsable --job-name={commit_name} --dependency="afterok:$tasks" --kill-on-invalid-dep=yes "$@" <<'JOB'
#!/bin/sh
exec "${{FAIRZARR:-fairzarr}}" commit {places} --memory {memory}{settings} --progress plain
JOB
)
echo "tasks $tasks, commit $commit"
"#,
        run_name = quoted(&format!("run-{name}")),
        commit_name = quoted(&format!("commit-{name}")),
    ))
}

/// A place as every directory of every node understands it.
fn place(text: &str) -> Result<String, Failure> {
    let location: Location = text.parse().map_err(Failure::usage)?;
    let Some(path) = location.as_path() else { return Ok(text.into()) };
    let path = std::path::absolute(path).map_err(Failure::usage)?;
    path.to_str()
        .map(Into::into)
        .ok_or_else(|| Failure::usage(format!("{}: the name is not UTF-8", path.display())))
}

/// The files of labels, which every task reads.
fn labels(typed: &[String]) -> Result<String, Failure> {
    let words = typed.iter().map(|text| {
        let (name, file) = super::labels::named(text);
        Ok(format!(" --labels {}", quoted(&format!("{name}={}", place(file)?))))
    });
    Ok(words.collect::<Result<Vec<_>, Failure>>()?.concat())
}

/// The settings of clients, of which none may be a secret: a script is a file that many can read.
fn settings(store: &StoreArgs) -> Result<String, Failure> {
    let all = [("--store-option", &store.store_option), ("--source-option", &store.source_option)];
    let mut words = Vec::new();
    for (flag, pairs) in all {
        for (key, value) in pairs {
            if is_secret(key) {
                return Err(Failure::usage(format!(
                    "{flag} {key} is a secret, which is not written into a script; give it to the jobs by their environment"
                )));
            }
            words.push(format!(" {flag} {}", quoted(&format!("{key}={value}"))));
        }
    }
    Ok(words.concat())
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_shell_stays_one_word() {
        assert_eq!(quoted("/data/a.ome.tif"), "/data/a.ome.tif");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
