//! Progress, for people at a terminal: on stderr, and only there.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Several lines of progress. Where stderr is not a terminal nothing is drawn.
#[derive(Debug)]
pub(crate) struct Progress {
    lines: MultiProgress,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { lines: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()) }
    }

    /// A line for something that takes an unknown time.
    pub(crate) fn spinner(&self, text: impl Into<String>) -> ProgressBar {
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
        let line = self.lines.add(ProgressBar::new_spinner());
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        line.set_message(text.into());
        line.enable_steady_tick(Duration::from_millis(100));
        line
    }

    /// A line with a name, how much of `length` is done, and a message.
    pub(crate) fn row(&self, name: &'static str, length: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{prefix:17}{bar:10} {percent:>3}%  {msg}");
        let line = self.lines.add(ProgressBar::new(length));
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        line.set_prefix(name);
        // Drawn now, as one of several, and not only when its turn comes.
        line.tick();
        line
    }

    /// A bar for something with `length` steps.
    pub(crate) fn bar(&self, text: &'static str, length: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:22} {bar:40} {human_pos}/{human_len}");
        let line = self.lines.add(ProgressBar::new(length));
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        line.set_message(text);
        line
    }
}
