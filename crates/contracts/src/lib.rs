#![doc = include_str!("../README.md")]

pub mod messages;
pub mod operator;
pub mod provider;
pub mod webhook;
