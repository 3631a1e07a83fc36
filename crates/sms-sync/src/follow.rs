//! Follows a sync to its end: by the updates as they come, and by asking while they do not.

use std::{
    collections::BTreeMap,
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contracts::operator::{RecordCounts, SyncDetail, SyncNotice, SyncState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use reqwest::Method;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{
    api::{Api, ApiError},
    output,
};

const UPDATES: &str = "/api/sync/updates";
/// While updates come, asking is only for what they may have missed.
const ASK_BESIDE_UPDATES: Duration = Duration::from_secs(5);
const ASK_WITHOUT_UPDATES: Duration = Duration::from_millis(700);
/// How long the API may be away before following is given up.
const PATIENCE: Duration = Duration::from_secs(60);

enum News {
    /// The updates flow from now on: ask once for what was before.
    Connected,
    Notice(Box<SyncNotice>),
}

/// Follows `sync_id` to its end, with bars on a terminal and lines elsewhere (both on standard error).
pub(crate) async fn follow(api: &Api, sync_id: Uuid) -> Result<SyncDetail, ApiError> {
    let (sender, mut news) = mpsc::channel(256);
    let live = Arc::new(AtomicBool::new(false));
    let updates = tokio::spawn(listen(api.clone(), sync_id, sender, Arc::clone(&live)));
    let mut display = Display::new();
    let ended = watch(api, sync_id, &mut news, &live, &mut display).await;
    updates.abort();
    display.close();
    ended
}

async fn watch(
    api: &Api,
    sync_id: Uuid,
    news: &mut mpsc::Receiver<News>,
    live: &AtomicBool,
    display: &mut Display,
) -> Result<SyncDetail, ApiError> {
    let mut away_since: Option<tokio::time::Instant> = None;
    loop {
        match api.get::<SyncDetail>(&format!("/api/sync/status/{sync_id}")).await {
            Ok(detail) => {
                away_since = None;
                let summary = &detail.summary;
                display.show(summary.state, summary.phase, &summary.counts);
                if has_ended(summary.state) {
                    return Ok(detail);
                }
            }
            Err(error @ ApiError::Refused(_)) => return Err(error),
            Err(error) => {
                let since = *away_since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() > PATIENCE {
                    return Err(error);
                }
            }
        }
        let wait = if live.load(Ordering::Relaxed) { ASK_BESIDE_UPDATES } else { ASK_WITHOUT_UPDATES };
        let ask_again = tokio::time::sleep(wait);
        tokio::pin!(ask_again);
        loop {
            tokio::select! {
                () = &mut ask_again => break,
                Some(it) = news.recv() => match it {
                    News::Connected => break,
                    News::Notice(notice) => {
                        display.show(notice.state, notice.phase, &notice.counts);
                        if has_ended(notice.state) {
                            break;
                        }
                    }
                }
            }
        }
    }
}

fn has_ended(state: SyncState) -> bool {
    use SyncState::{Cancelled, Completed, CompletedWithErrors, Failed};
    matches!(state, Completed | CompletedWithErrors | Failed | Cancelled)
}

/// Reads the updates for ever. Without them, following goes on by asking.
async fn listen(api: Api, sync_id: Uuid, news: mpsc::Sender<News>, live: Arc<AtomicBool>) {
    let mut last_id: Option<String> = None;
    loop {
        let mut request = api.request(Method::GET, UPDATES).header("accept", "text/event-stream");
        if let Some(id) = &last_id {
            request = request.header("last-event-id", id);
        }
        if let Ok(mut response) = api.send(request, UPDATES).await {
            live.store(true, Ordering::Relaxed);
            if news.send(News::Connected).await.is_err() {
                return;
            }
            let mut events = Events::default();
            while let Ok(Some(chunk)) = response.chunk().await {
                for event in events.feed(&chunk) {
                    last_id = event.id.or(last_id);
                    let notice = (event.name.starts_with("sync."))
                        .then(|| serde_json::from_str::<SyncNotice>(&event.data).ok())
                        .flatten();
                    let item = match notice {
                        Some(notice) if notice.sync_id == sync_id => News::Notice(Box::new(notice)),
                        _ if event.name == "resync" => News::Connected,
                        _ => continue,
                    };
                    if news.send(item).await.is_err() {
                        return;
                    }
                }
            }
            live.store(false, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

/// Cuts bytes into events, however they arrive.
#[derive(Default)]
struct Events {
    rest: Vec<u8>,
    current: Event,
}

impl Events {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut whole = Vec::new();
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.current);
                if !event.data.is_empty() {
                    whole.push(event);
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => self.current.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut self.current.name),
                "data" => {
                    if !self.current.data.is_empty() {
                        self.current.data.push('\n');
                    }
                    self.current.data.push_str(value);
                }
                _ => {} // retry, comments
            }
        }
        whole
    }
}

/// A bar per kind of record on a terminal; elsewhere a line whenever state or phase changes.
struct Display {
    bars: MultiProgress,
    head: ProgressBar,
    by_type: BTreeMap<&'static str, ProgressBar>,
    is_terminal: bool,
    last: Option<(SyncState, i16)>,
}

impl Display {
    fn new() -> Self {
        let bars = MultiProgress::new();
        let head = bars.add(ProgressBar::new_spinner());
        head.enable_steady_tick(Duration::from_millis(120));
        let is_terminal = std::io::stderr().is_terminal();
        Self { bars, head, by_type: BTreeMap::new(), is_terminal, last: None }
    }

    fn show(&mut self, state: SyncState, phase: i16, counts: &[RecordCounts]) {
        let what = match phase {
            1 => "companies and vessels",
            2 => "equipment and users",
            _ => "about to begin",
        };
        let state_word = output::word(&state);
        self.head.set_message(format!("{state_word}: {what}"));
        if self.last != Some((state, phase)) && !self.is_terminal {
            let read: i64 = counts.iter().map(|counts| counts.read).sum();
            eprintln!("{state_word}: {what}, {read} records read");
        }
        self.last = Some((state, phase));
        for it in counts {
            let name = output::plural(it);
            let bar = self.by_type.entry(name).or_insert_with(|| {
                let bar = self.bars.add(ProgressBar::no_length());
                bar.set_prefix(name);
                bar
            });
            let template = if let Some(expected) = it.expected {
                bar.set_length(expected.unsigned_abs());
                "  {prefix:10} {bar:32.cyan/dim} {pos:>7} / {len:<7} {per_sec:>12} {msg}"
            } else {
                "  {prefix:10} {pos:>7} {msg}"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.set_position(it.read.unsigned_abs());
            let rejected = if it.rejected > 0 { format!("{} rejected", it.rejected) } else { String::new() };
            bar.set_message(rejected);
        }
    }

    fn close(&self) {
        // The table that follows says the same, and more.
        self.bars.clear().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_however_the_bytes_arrive() {
        let text =
            "retry: 3000\n\nevent: heartbeat\ndata: {}\n\nid: 7\r\nevent: sync.progress\r\ndata: é\r\n\r\n";
        for size in 1..text.len() {
            let mut events = Events::default();
            let seen: Vec<_> = text.as_bytes().chunks(size).flat_map(|chunk| events.feed(chunk)).collect();
            let event = |id: Option<&str>, name: &str, data: &str| Event {
                id: id.map(str::to_owned),
                name: name.to_owned(),
                data: data.to_owned(),
            };
            assert_eq!(
                seen,
                [event(None, "heartbeat", "{}"), event(Some("7"), "sync.progress", "é")],
                "{size}"
            );
        }
    }
}
