//! A connection that knows what its ledger's seals are made with, and which of them have changed.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeSet;
use std::ops::Deref;

use rusqlite::Connection;

use crate::ledger::seals::Seals;
use crate::ledger::sql::tree::{Growth, Nodes, Place, Set, Top};

/// See the module.
#[derive(Debug)]
pub(in crate::ledger) struct Db {
    connection: Connection,
    pub(super) seals: Seals,
    /// What rows written in the open transaction change of the trees.
    growth: RefCell<Growth>,
    /// What the open transaction has looked at in the trees.
    looked: RefCell<Looked>,
}

impl Db {
    pub(super) fn new(connection: Connection, seals: Seals) -> Self {
        Self { connection, seals, growth: RefCell::default(), looked: RefCell::default() }
    }

    /// What is not in the trees yet.
    pub(super) fn growth(&self) -> RefMut<'_, Growth> {
        self.growth.borrow_mut()
    }

    /// The same, for whoever puts it there or forgets it.
    pub(super) fn take_growth(&self) -> Growth {
        self.growth.take()
    }

    /// The same, as it is now.
    pub(super) fn growth_now(&self) -> Growth {
        let growth: Ref<'_, Growth> = self.growth.borrow();
        growth.clone()
    }

    pub(super) fn looked(&self) -> RefMut<'_, Looked> {
        self.looked.borrow_mut()
    }

    /// The connection, to be set up.
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The connection alone.
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// What a transaction has looked at: nodes that the top stands for, and groups whose rows add up.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) top: Option<Top>,
    pub(super) nodes: Nodes,
    pub(super) checked: BTreeSet<Place>,
    pub(super) groups: BTreeSet<(Set, i64)>,
}
