//! A provider whose pages stand ready in memory, as large as real ones; or one that takes its time, and serves slices.

use std::{
    collections::HashMap,
    fmt::Write,
    net::TcpListener,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// Vessels of the fleet that the equipment is spread over.
const VESSELS: usize = 200;

/// The fleet: numbers from 0; everything about a record follows from its number and its revision.
#[derive(Default)]
struct Fleet {
    equipment: AtomicUsize,
    /// Of records that have changed; the others are at revision 0.
    revisions: RwLock<HashMap<usize, u32>>,
    /// Pages that stand ready, of this size each.
    ready: RwLock<(usize, Vec<web::Bytes>)>,
    /// Milliseconds before a page of equipment is answered, as a portal behind a network takes them.
    latency: AtomicU64,
}

/// Slices of a list: slice k of n holds the records whose number modulo n is k.
const SLICES: usize = 64;

/// The running provider.
#[derive(Clone)]
pub(crate) struct Provider {
    fleet: Arc<Fleet>,
    pub(crate) url: String,
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<usize>,
    cursor: Option<usize>,
    ids: Option<String>,
    slice: Option<String>,
}

impl Provider {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let fleet = Arc::new(Fleet::default());
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/api", listener.local_addr()?);
        let data = web::Data::from(fleet.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/api/sync/vessels", web::get().to(vessels))
                .route("/api/sync/equipment", web::get().to(equipment))
                .route("/api/sync/users", web::get().to(async || page("", 0, None, 0)))
                .route("/api/sync/capabilities", web::get().to(capabilities))
        });
        tokio::spawn(server.workers(1).disable_signals().listen(listener)?.run());
        Ok(Self { fleet, url })
    }

    /// Answers each page of equipment so many milliseconds later than it could.
    pub(crate) fn latency(&self, milliseconds: u64) {
        self.fleet.latency.store(milliseconds, Ordering::Relaxed);
    }

    /// A fleet of this many pieces of equipment, all at revision 0.
    pub(crate) fn have(&self, equipment: usize) {
        self.fleet.equipment.store(equipment, Ordering::Relaxed);
        *self.fleet.revisions.write().expect("no panic holds it") = HashMap::new();
        *self.fleet.ready.write().expect("no panic holds it") = (0, Vec::new());
    }

    /// Changes these records. Pages that stand ready show it once they are prepared anew.
    pub(crate) fn revise(&self, numbers: impl Iterator<Item = usize>) {
        let mut revisions = self.fleet.revisions.write().expect("no panic holds it");
        for number in numbers {
            *revisions.entry(number).or_default() += 1;
        }
    }

    /// Has all pages of this size stand ready.
    pub(crate) fn prepare(&self, limit: usize) {
        let count = self.fleet.equipment.load(Ordering::Relaxed).div_ceil(limit);
        let pages = (0..count).map(|page| self.fleet.page(page * limit, limit).into()).collect();
        *self.fleet.ready.write().expect("no panic holds it") = (limit, pages);
    }
}

/// The id of a piece of equipment.
pub(crate) fn equipment_id(number: usize) -> String {
    format!("e-{number:07}")
}

async fn vessels() -> HttpResponse {
    let mut data = String::new();
    for number in 0..VESSELS {
        separate(&mut data);
        let first = 900_000 + number;
        let digits = first.to_string().into_bytes();
        let sum: usize =
            digits.iter().zip([7, 6, 5, 4, 3, 2]).map(|(d, weight)| usize::from(d - b'0') * weight).sum();
        let check = sum % 10;
        write!(
            data,
            r#"{{"id":"v-{number}","imoNumber":"{first}{check}","name":"Bench {number}","flag":"NO","vesselType":"bulk_carrier","grossTonnage":{},"buildYear":2015,"serviceStatus":"in_service","company":{{"id":"c-{}","name":"Company {}","country":"NO","updatedAt":"2026-01-01T00:00:00Z"}},"updatedAt":"2026-01-01T00:00:00Z"}}"#,
            30_000 + number,
            number % 10,
            number % 10,
        )
        .expect("text takes it");
    }
    page(&data, VESSELS, None, VESSELS)
}

/// Slices are served with a latency only: without one, the pages that stand ready are what is measured.
async fn capabilities(fleet: web::Data<Fleet>) -> HttpResponse {
    let slices = if fleet.latency.load(Ordering::Relaxed) > 0 { SLICES } else { 1 };
    HttpResponse::Ok().content_type("application/json").body(format!(r#"{{"slices":{slices}}}"#))
}

async fn equipment(fleet: web::Data<Fleet>, asked: web::Query<Asked>) -> HttpResponse {
    if let Some(ids) = &asked.ids {
        let mut data = String::new();
        let numbers: Vec<usize> =
            ids.split(',').filter_map(|id| id.strip_prefix("e-")?.parse().ok()).collect();
        for number in &numbers {
            separate(&mut data);
            fleet.record(*number, &mut data);
        }
        return page(&data, numbers.len(), None, numbers.len());
    }
    let (from, limit) = (asked.cursor.unwrap_or(0), asked.limit.unwrap_or(100));
    tokio::time::sleep(Duration::from_millis(fleet.latency.load(Ordering::Relaxed))).await;
    if let Some(slice) = &asked.slice {
        return HttpResponse::Ok()
            .content_type("application/json")
            .body(fleet.slice_page(slice, from, limit));
    }
    let ready = fleet.ready.read().expect("no panic holds it");
    let body = match ready.1.get(from / limit) {
        Some(body) if ready.0 == limit => body.clone(),
        _ => fleet.page(from, limit).into(),
    };
    HttpResponse::Ok().content_type("application/json").body(body)
}

fn separate(data: &mut String) {
    if !data.is_empty() {
        data.push(',');
    }
}

fn page_text(data: &str, limit: usize, next: Option<usize>, total: usize) -> String {
    let next = next.map_or_else(String::new, |next| format!(r#""nextCursor":"{next}","#));
    format!(
        r#"{{"data":[{data}],"page":{{"limit":{limit},{next}"total":{total},"totalCompanies":10,"asOf":"2026-06-01T00:00:00Z"}}}}"#
    )
}

fn page(data: &str, limit: usize, next: Option<usize>, total: usize) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(page_text(data, limit, next, total))
}

impl Fleet {
    fn page(&self, from: usize, limit: usize) -> String {
        let total = self.equipment.load(Ordering::Relaxed);
        let until = (from + limit).min(total);
        let mut data = String::with_capacity(limit * 1_000);
        for number in from..until {
            separate(&mut data);
            self.record(number, &mut data);
        }
        page_text(&data, limit, (until < total).then_some(until), total)
    }

    /// The page of slice `k/n` that begins at a record: every n-th one is in it.
    fn slice_page(&self, slice: &str, from: usize, limit: usize) -> String {
        let total = self.equipment.load(Ordering::Relaxed);
        let (k, n): (usize, usize) = slice
            .split_once('/')
            .and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)))
            .expect("the worker asks for k/n");
        let mut numbers = (from..total).filter(|number| number % n == k);
        let mut data = String::with_capacity(limit * 1_000);
        for number in numbers.by_ref().take(limit) {
            separate(&mut data);
            self.record(number, &mut data);
        }
        let page = page_text(&data, limit, numbers.next(), total);
        page.replace(r#""totalCompanies":10"#, &format!(r#""slice":"{slice}""#))
    }

    /// 25 columns in some 900 bytes.
    fn record(&self, number: usize, data: &mut String) {
        let revision = self.revisions.read().expect("no panic holds it").get(&number).copied().unwrap_or(0);
        let base: DateTime<Utc> = DateTime::from_timestamp(1_767_225_600, 0).expect("the start of 2026");
        let updated_at =
            base + TimeDelta::seconds(i64::from(revision) * 60) + TimeDelta::milliseconds(number as i64);
        write!(
            data,
            r#"{{"id":"{}","vesselId":"v-{}","code":"{}.{:03}","unitNumber":{},"name":"Circulating pump {number} revision {revision}","maker":"Nordic Pumps and Engines AS","model":"NPE-{}-S","serialNumber":"SN-{number:010}","location":"Engine room, deck {}, frame {}, port side","specs":{{"powerKw":{},"speedRpm":1780,"flowM3PerHour":{},"headMetres":32,"voltage":440,"frequencyHz":60,"weightKg":{},"medium":"sea water, low temperature cooling","material":"bronze casing, duplex impeller","enclosure":"IP55","insulation":"class F","mounting":"vertical in-line","remarks":"overhauled at the yard, new mechanical seal fitted, vibration measured within limits"}},"isCritical":{},"criticalityBasis":"ism_10_3","isStandby":{},"standbyTestIntervalDays":30,"redundancyGroup":"cooling-{}","qrCode":"BENCH-{number:08}","installedOn":"2015-04-01","warrantyUntil":"2027-04-01","runningHours":{},"serviceStatus":"in_service","updatedAt":"{}"}}"#,
            equipment_id(number),
            number % VESSELS,
            600 + number / VESSELS % 100,
            number / VESSELS / 100 % 1_000,
            1 + number / VESSELS / 100_000,
            number % 977,
            1 + number % 4,
            number % 210,
            number % 400,
            number % 900,
            number % 3_000,
            number.is_multiple_of(7),
            number.is_multiple_of(2),
            number % 50,
            number % 90_000,
            updated_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        )
        .expect("text takes it");
    }
}
