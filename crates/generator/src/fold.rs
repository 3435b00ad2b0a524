//! What remains of one payment's messages: a verdict for each, and the state of each entry.
//!
//! The rules of the event contract, followed over typed packets instead of JSON. Only where two contents claim one
//! version does it need the bytes: the greater SHA-256 of the canonical form wins.

use std::cmp::Ordering;

use sha2::{Digest, Sha256};

use crate::life::{Entry, Form, Life, Packet};
use crate::message;
use crate::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Applied,
    Duplicate,
    Stale,
    Conflict,
    Quarantined,
}

/// The state of one entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    pub(crate) packet: Packet,
    /// Two contents claim its greatest version.
    pub(crate) contested: bool,
}

/// Room for one payment's fold, reused.
#[derive(Default)]
pub(crate) struct Fold {
    /// Every content held.
    held: Vec<Packet>,
    /// One for each entry met.
    pub(crate) states: Vec<State>,
}

impl Fold {
    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.states.clear();
    }

    pub(crate) fn apply(&mut self, world: &World, life: &Life, form: Form, packet: Packet) -> Verdict {
        if matches!(form, Form::Poison(_)) {
            return Verdict::Quarantined;
        }
        if self.held.contains(&packet) {
            return Verdict::Duplicate;
        }
        let disputed = self
            .held
            .iter()
            .any(|held| held.entry == packet.entry && held.version == packet.version);
        self.held.push(packet);
        let Some(state) = self.states.iter_mut().find(|state| state.packet.entry == packet.entry) else {
            self.states.push(State {
                packet,
                contested: false,
            });
            return Verdict::Applied;
        };
        match packet.version.cmp(&state.packet.version) {
            Ordering::Greater => {
                *state = State {
                    packet,
                    contested: false,
                }
            }
            Ordering::Equal => {
                let winner = if digest(world, life, &packet) > digest(world, life, &state.packet) {
                    packet
                } else {
                    state.packet
                };
                *state = State {
                    packet: winner,
                    contested: true,
                };
            }
            Ordering::Less => {}
        }
        match (disputed, packet.version == state.packet.version) {
            (true, _) => Verdict::Conflict,
            (false, true) => Verdict::Applied,
            (false, false) => Verdict::Stale,
        }
    }

    /// The state of the payment's own entry, if it is there and not deleted.
    pub(crate) fn live_payment(&self) -> Option<Packet> {
        self.states
            .iter()
            .map(|state| state.packet)
            .find(|packet| packet.entry == Entry::Payment && !packet.deleted)
    }

    /// Whether two payment messages held name different merchants.
    pub(crate) fn identity_changed(&self, life: &Life) -> bool {
        let mut merchants = self
            .held
            .iter()
            .filter(|held| held.entry == Entry::Payment)
            .map(|held| life.payment(held).merchant);
        merchants
            .next()
            .is_some_and(|first| merchants.any(|merchant| merchant != first))
    }
}

/// SHA-256 of a packet's canonical `data`.
fn digest(world: &World, life: &Life, packet: &Packet) -> [u8; 32] {
    let mut data = Vec::new();
    message::write_data(world, life, packet, &mut data);
    let canonical = serde_json::from_slice::<serde_json::Value>(&data)
        .ok()
        .and_then(|value| serde_json_canonicalizer::to_vec(&value).ok());
    Sha256::digest(canonical.unwrap_or(data)).into()
}
