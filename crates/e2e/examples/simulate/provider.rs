//! The virtual provider: the API of an onboarding portal over a [`Catalogue`]. It has no database, and makes every page anew.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpResponseBuilder, HttpServer, web};
use chrono::DateTime;
use contracts::provider::{
    Capabilities, DEFAULT_PAGE_SIZE, HashSlice, IDS_LIMIT, ListQuery, PAGE_SIZE_LIMIT, Page, PageInfo,
    VesselExport,
};
use serde::Serialize;
use serde_json::json;

use crate::{
    catalogue::{Catalogue, Place, Slice, now},
    fleet::{Fleet, List, Numbered, Version},
};

/// The running provider.
#[derive(Debug)]
pub(crate) struct Provider {
    /// Base of the API, for `ONBOARDING_API_URL`.
    pub(crate) url: String,
    catalogue: RwLock<Catalogue>,
    latency_ms: AtomicU64,
}

/// Threads that answer requests.
const THREADS: usize = 2;

impl Provider {
    /// Answers each page and export so long after it was asked for.
    pub(crate) fn start(catalogue: Catalogue, latency: Duration) -> anyhow::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/api", listener.local_addr()?);
        let provider =
            Arc::new(Self { url, catalogue: RwLock::new(catalogue), latency_ms: AtomicU64::default() });
        provider.set_latency(latency);
        let data = web::Data::from(provider.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/api/sync/capabilities", web::get().to(capabilities))
                .route("/api/sync/vessels", web::get().to(vessels))
                .route("/api/sync/equipment", web::get().to(equipment))
                .route("/api/sync/users", web::get().to(users))
                .route("/api/sync/export/{vessel}", web::post().to(export))
        });
        tokio::spawn(server.workers(THREADS).disable_signals().listen(listener)?.run());
        Ok(provider)
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self.latency_ms.store(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_time(&self) {
        tokio::time::sleep(Duration::from_millis(self.latency_ms.load(Ordering::Relaxed))).await;
    }

    /// Answers a request for a list.
    async fn answer<D: Serialize>(
        &self,
        list: List,
        query: &ListQuery,
        draft: impl Fn(&Fleet, u64, Version) -> D,
    ) -> HttpResponse {
        self.take_time().await;
        // The lock is held for the choice of records, not while they are written.
        let (fleet, chosen) = {
            let catalogue = self.read();
            (catalogue.fleet, choose(&catalogue, list, query))
        };
        match chosen {
            Ok((records, page)) => {
                let data = records.into_iter().map(|(number, version)| draft(&fleet, number, version));
                HttpResponse::Ok().json(Page { data: data.collect(), page })
            }
            Err(detail) => problem(HttpResponse::BadRequest(), &detail),
        }
    }
}

async fn capabilities() -> HttpResponse {
    HttpResponse::Ok().json(Capabilities {
        slices: Some(HashSlice::COUNT_LIMIT.into()),
        page_size: Some(PAGE_SIZE_LIMIT),
        ids: u32::try_from(IDS_LIMIT).ok(),
        export: Some(true),
        compression: Vec::new(),
    })
}

async fn vessels(provider: web::Data<Provider>, query: web::Query<ListQuery>) -> HttpResponse {
    provider.answer(List::Vessels, &query, Fleet::vessel).await
}

async fn equipment(provider: web::Data<Provider>, query: web::Query<ListQuery>) -> HttpResponse {
    provider.answer(List::Equipment, &query, Fleet::equipment).await
}

async fn users(provider: web::Data<Provider>, query: web::Query<ListQuery>) -> HttpResponse {
    provider.answer(List::Users, &query, Fleet::user).await
}

async fn export(provider: web::Data<Provider>, vessel: web::Path<String>) -> HttpResponse {
    provider.take_time().await;
    let catalogue = provider.read();
    let fleet = catalogue.fleet;
    let listed =
        List::Vessels.number(&vessel).and_then(|ship| Some((ship, catalogue.listed(List::Vessels, ship)?)));
    let Some((ship, version)) = listed else {
        return problem(HttpResponse::NotFound(), "There is no such vessel.");
    };
    let of_ship = |list| of_ship(&catalogue, list, ship);
    let (equipment, users) = (of_ship(List::Equipment), of_ship(List::Users));
    let as_of = now();
    drop(catalogue);
    HttpResponse::Ok().json(VesselExport {
        vessel: fleet.vessel(ship, version),
        equipment: equipment.into_iter().map(|(number, version)| fleet.equipment(number, version)).collect(),
        users: users.into_iter().map(|(number, version)| fleet.user(number, version)).collect(),
        as_of,
    })
}

fn problem(mut answer: HttpResponseBuilder, detail: &str) -> HttpResponse {
    answer.content_type("application/problem+json").body(json!({"detail": detail}).to_string())
}

fn of_ship(catalogue: &Catalogue, list: List, ship: u64) -> Vec<Numbered> {
    let numbers = catalogue.fleet.numbers_of_ship(list, ship);
    numbers.filter_map(|number| Some((number, catalogue.listed(list, number)?))).collect()
}

/// The records of a page, and where it stands; or what is wrong with the request.
fn choose(catalogue: &Catalogue, list: List, query: &ListQuery) -> Result<(Vec<Numbered>, PageInfo), String> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE_SIZE).clamp(1, PAGE_SIZE_LIMIT);
    let after = query.cursor.as_deref().map(place).transpose()?;
    let slice = query.slice.as_deref().map(slice).transpose()?;
    let since = query.updated_since;
    let size = limit as usize;
    let named = named(catalogue, list, query)?;
    let mut records: Vec<Numbered> = match &named {
        None => {
            let walk = catalogue.walk(list, since, after, slice.unwrap_or(Slice::WHOLE));
            walk.take(size + 1).collect()
        }
        Some(records) => {
            let behind = |(number, version): &&Numbered| Some((version.at, *number)) > after;
            records.iter().filter(behind).take(size + 1).copied().collect()
        }
    };
    let has_more = records.len() > size;
    records.truncate(size);
    let last = records.last().filter(|_| has_more);
    let mut page = PageInfo {
        limit,
        next_cursor: last.map(|(number, version)| format!("{}.{number}", version.at.timestamp_micros())),
        as_of: Some(now()),
        slice: query.slice.clone(),
        ..PageInfo::default()
    };
    if after.is_none() || query.include.as_deref() == Some("total") {
        page.total = Some(named.as_ref().map_or_else(|| catalogue.count(list, since), |it| it.len() as u64));
        if list == List::Vessels {
            let company = |(ship, _): Numbered| Fleet::company_of_ship(ship);
            let companies: BTreeSet<u64> = match named {
                None => catalogue.walk(list, since, None, Slice::WHOLE).map(company).collect(),
                Some(records) => records.into_iter().map(company).collect(),
            };
            page.total_companies = Some(companies.len() as u64);
        }
    }
    Ok((records, page))
}

/// The records that a query names by ids, vessel or company, in the list's order; none: it asks for the whole list.
fn named(catalogue: &Catalogue, list: List, query: &ListQuery) -> Result<Option<Vec<Numbered>>, String> {
    let fleet = catalogue.fleet;
    let numbers: BTreeSet<u64> = if let Some(ids) = &query.ids {
        ids.split(',').filter_map(|id| list.number(id)).collect()
    } else if let Some(vessel) = &query.vessel_id {
        List::Vessels
            .number(vessel)
            .map(|ship| fleet.numbers_of_ship(list, ship))
            .into_iter()
            .flatten()
            .collect()
    } else if let Some(company) = &query.company_id {
        let company = company.strip_prefix("c-").and_then(|number| number.parse().ok());
        let ships = company.map(|company| fleet.ships_of_company(company)).into_iter().flatten();
        ships.flat_map(|ship| fleet.numbers_of_ship(list, ship)).collect()
    } else {
        return Ok(None);
    };
    if query.slice.is_some() {
        return Err("`slice` is of a whole list.".to_owned());
    }
    let listed = numbers.into_iter().filter_map(|number| Some((number, catalogue.listed(list, number)?)));
    let mut records: Vec<_> =
        listed.filter(|(_, version)| query.updated_since.is_none_or(|since| version.at >= since)).collect();
    records.sort_by_key(|(number, version)| (version.at, *number));
    Ok(Some(records))
}

fn place(cursor: &str) -> Result<Place, String> {
    let parts = cursor.split_once('.').and_then(|(at, number)| {
        Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, number.parse().ok()?))
    });
    parts.ok_or_else(|| "`cursor` must be a `nextCursor` of this provider.".to_owned())
}

fn slice(text: &str) -> Result<Slice, String> {
    let slice: HashSlice = text.parse().map_err(|_not_one| "`slice` must be k/n.".to_owned())?;
    Ok(Slice { index: slice.index().into(), count: slice.count().into() })
}
