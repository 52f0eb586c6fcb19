//! Progress on standard error: a bar on a terminal, lines in a log, JSON lines for a pipeline.

use fairzarr_task::{Progress, background, shown};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::args::{OutputArgs, ProgressArg};
use crate::caller::Caller;
use crate::{print, source, telling};

/// Runs `work` while showing how far it has come.
pub(crate) fn show<T>(output: &OutputArgs, progress: &Progress, work: impl FnOnce() -> T) -> T {
    if Caller::current().is_some() {
        // Whoever calls watches by itself.
        return work();
    }
    let style = match output.progress {
        _ if telling::is_quiet() => return work(),
        ProgressArg::Auto
            if std::io::stderr().is_terminal() && !telling::is_json() && !telling::is_quiet() =>
        {
            Style::Bar
        }
        ProgressArg::Auto => Style::Quiet,
        ProgressArg::None => return work(),
        ProgressArg::Plain => Style::Plain,
        ProgressArg::Json => Style::Json,
    };
    std::thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        // Where the system refuses another thread, the work itself will tell, or goes on unwatched.
        let _ = background(scope, "progress", move || watch(style, progress, &stopped));
        let result = work();
        drop(stop);
        result
    })
}

#[derive(Clone, Copy)]
enum Style {
    /// Only what is waited for, where that takes long.
    Quiet,
    Bar,
    Plain,
    Json,
}

fn watch(style: Style, progress: &Progress, stopped: &Receiver<()>) {
    let start = Instant::now();
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let template = "{wide_bar} {decimal_bytes}/{decimal_total_bytes} {msg}";
    if let Ok(template) = ProgressStyle::with_template(template) {
        bar.set_style(template);
    }
    let pause = match style {
        Style::Bar => Duration::from_millis(100),
        Style::Plain | Style::Json => Duration::from_secs(5),
        Style::Quiet => Duration::from_secs(1),
    };
    let mut told: Option<Instant> = None;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let (done, total, before) = (progress.done(), progress.total(), progress.before());
        let seconds = start.elapsed().as_secs_f64();
        let rate = done.saturating_sub(before) as f64 / seconds.max(1e-9);
        // Before the first byte nobody knows how long it will take.
        let left = (rate > 0.0).then(|| total.saturating_sub(done) as f64 / rate);
        let in_words = format!(
            "{:.1} MB/s, {} left",
            rate / 1e6,
            left.map_or("?".into(), |left| HumanDuration(Duration::from_secs_f64(left.min(1e9))).to_string())
        );
        let waiting = source::control().waiting().into_iter().next();
        let in_words = match &waiting {
            Some(waiting) => waiting.to_string(),
            None => in_words,
        };
        match style {
            Style::Quiet => {
                let long = waiting.filter(|waiting| waiting.since.elapsed() >= LONG);
                if let Some(waiting) = long
                    && told.is_none_or(|told| told.elapsed() >= AGAIN)
                {
                    told = Some(Instant::now());
                    print::note(format_args!("fairzarr: {waiting}"));
                }
            }
            Style::Bar => {
                bar.set_length(total.max(1));
                bar.set_position(done);
                bar.set_message(shown(&in_words).into_owned());
            }
            Style::Plain => print::note(format_args!(
                "{:.1} of {:.1} MB, {in_words}",
                done as f64 / 1e6,
                total as f64 / 1e6
            )),
            Style::Json => print::note(format_args!(
                "{}",
                telling::line(
                    "progress",
                    serde_json::json!({"done": done, "total": total, "bytes_per_second": rate, "seconds_left": left})
                )
            )),
        }
    }
    bar.finish_and_clear();
}

/// A wait that is told where nothing else is told, and how often.
const LONG: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_mins(1);
