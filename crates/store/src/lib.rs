#![doc = include_str!("../README.md")]

pub mod db;
pub mod engine;
pub mod ledger;
pub mod records;
pub mod settings;
pub mod views;

pub use db::{
    connection::{Connection, Db, Store, Tx},
    error::{Constraint, StoreError},
    page::{COUNT_LIMIT, Order, Page, Total, Window},
    page_turn::PageTurn,
    service_roles::{ServiceRole, UnknownServiceRole},
};
