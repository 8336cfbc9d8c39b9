// SPDX-License-Identifier: EUPL-1.2
//! Rows that several writes leave for the end of their transaction, so that each kind of statement
//! is sent once for all of them.
//!
//! Parameters are kept as they go over the wire: each parameter of a statement becomes an array
//! with a place for each row, and the statement reads its rows from those arrays.

use std::error::Error;

use belofte_model::TenantId;
use bytes::{BufMut as _, BytesMut};
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, to_sql_checked};

use super::{Param, Sql};
use crate::StoreError;

/// How many rows a late statement must change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// As many as it finds.
    Any,
    /// Exactly one; otherwise the write is a [`StoreError::Conflict`].
    One,
}

/// One parameter of many rows: an array in the binary form of PostgreSQL.
#[derive(Debug, Default)]
pub(super) struct Column {
    element: Option<Type>,
    count: i32,
    nulls: bool,
    data: BytesMut,
    /// How many places, and bytes of them, belong to writes that succeeded.
    kept: (i32, usize),
}

const MIXED: StoreError = StoreError::Inconsistent { what: "a parameter of another type in another row" };
const LONG: StoreError = StoreError::Inconsistent { what: "a parameter longer than the protocol allows" };

impl Column {
    fn push(&mut self, element: Type, bytes: &[u8]) -> Result<(), StoreError> {
        if *self.element.get_or_insert(element.clone()) != element {
            return Err(MIXED);
        }
        self.count += 1;
        self.data.put_i32(i32::try_from(bytes.len()).map_err(|_| LONG)?);
        self.data.put_slice(bytes);
        Ok(())
    }

    fn push_null(&mut self) {
        self.count += 1;
        self.nulls = true;
        self.data.put_i32(-1);
    }

    fn keep(&mut self) {
        self.kept = (self.count, self.data.len());
    }

    fn drop_own(&mut self) {
        self.count = self.kept.0;
        self.data.truncate(self.kept.1);
    }

    /// Parts what is not kept from the rest. Either part may say that there are NULLs where there are
    /// none, which the server allows.
    fn split_own(&mut self) -> Self {
        let own = Self {
            element: self.element.clone(),
            count: self.count - self.kept.0,
            nulls: self.nulls,
            data: self.data.split_off(self.kept.1),
            kept: (0, 0),
        };
        self.count = self.kept.0;
        own
    }
}

impl ToSql for Column {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Kind::Array(element) = ty.kind() else { return Err("not an array".into()) };
        if self.element.as_ref().is_some_and(|own| own != element) {
            return Err("an array of another type".into());
        }
        // Dimensions, whether there are NULLs, the type; then length and first index.
        out.put_i32(1);
        out.put_i32(i32::from(self.nulls));
        out.put_u32(element.oid());
        out.put_i32(self.count);
        out.put_i32(1);
        out.put_slice(&self.data);
        Ok(IsNull::No)
    }

    // What is sent is checked above, against the type that the server asks for.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// All rows of one statement for one tenant.
pub(super) struct Late {
    pub(super) tenant: Option<TenantId>,
    pub(super) sql: &'static Sql,
    pub(super) expect: Rows,
    pub(super) rows: u64,
    columns: Vec<Column>,
    /// Position of the first parameter that is added up when two rows agree in those before it.
    summed: Option<usize>,
    /// So many of the rows belong to writes that succeeded.
    kept: u64,
}

impl Late {
    fn new(tenant: Option<TenantId>, sql: &'static Sql, expect: Rows) -> Self {
        Self { tenant, sql, expect, rows: 0, columns: Vec::new(), summed: None, kept: 0 }
    }

    fn push(&mut self, params: &[Param<'_>]) -> Result<(), StoreError> {
        self.columns.resize_with(params.len(), Column::default);
        for (column, param) in self.columns.iter_mut().zip(params) {
            match param {
                Param::Int(value) => column.push(Type::INT8, &value.to_be_bytes())?,
                Param::Uuid(value) => column.push(Type::UUID, value.as_bytes())?,
                Param::Bytes(value) => column.push(Type::BYTEA, value)?,
                Param::Text(value) => column.push(Type::TEXT, value.as_bytes())?,
                Param::Null => column.push_null(),
                Param::Ints(_) | Param::Uuids(_) | Param::Blobs(_) => {
                    return Err(StoreError::Inconsistent { what: "a late statement with an array" });
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn keep(&mut self) {
        self.kept = self.rows;
        self.columns.iter_mut().for_each(Column::keep);
    }

    fn drop_own(&mut self) {
        self.rows = self.kept;
        self.columns.iter_mut().for_each(Column::drop_own);
    }

    fn split_own(&mut self) -> Self {
        let columns = self.columns.iter_mut().map(Column::split_own).collect();
        let rows = self.rows - self.kept;
        self.rows = self.kept;
        Self { columns, rows, kept: 0, ..*self }
    }

    /// The parameters of the statement in its form for many rows.
    pub(super) fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.columns.iter().map(|column| column as _).collect()
    }

    /// Adds rows up: those that agree in the first parameters become one.
    fn sum(&mut self) -> Result<(), StoreError> {
        let Some(keys) = self.summed else { return Ok(()) };
        let mut rows: Vec<(Vec<Vec<u8>>, Vec<i64>)> = Vec::new();
        let places: Vec<Vec<&[u8]>> = self.columns.iter().map(Column::places).collect();
        for row in 0..usize::try_from(self.rows).unwrap_or(0) {
            let key: Vec<Vec<u8>> = places[..keys].iter().map(|column| column[row].to_vec()).collect();
            let numbers =
                places[keys..].iter().map(|column| column[row].try_into().map_or(0, i64::from_be_bytes));
            match rows.iter_mut().find(|(known, _)| *known == key) {
                Some((_, sums)) => sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number),
                None => rows.push((key, numbers.collect())),
            }
        }
        let elements: Vec<Option<Type>> = self.columns.iter().map(|column| column.element.clone()).collect();
        self.rows = rows.len() as u64;
        self.columns.iter_mut().for_each(|column| *column = Column::default());
        for (key, sums) in rows {
            let bytes = key.into_iter().chain(sums.into_iter().map(|sum| sum.to_be_bytes().to_vec()));
            for ((column, element), bytes) in self.columns.iter_mut().zip(&elements).zip(bytes) {
                column.push(element.clone().ok_or(MIXED)?, &bytes)?;
            }
        }
        Ok(())
    }
}

/// Late rows of one or several writes: those that writes before left (*kept*), and behind them those
/// of the present write (its *own*), which go with it when it fails. All lie in the same arrays, so
/// that nothing is copied when a write succeeds.
#[derive(Default)]
pub(super) struct Batch {
    statements: Vec<Late>,
}

impl Batch {
    fn of(&mut self, tenant: Option<TenantId>, sql: &'static Sql, expect: Rows) -> &mut Late {
        let known =
            self.statements.iter().position(|late| late.tenant == tenant && std::ptr::eq(late.sql, sql));
        let at = known.unwrap_or_else(|| {
            self.statements.push(Late::new(tenant, sql, expect));
            self.statements.len() - 1
        });
        &mut self.statements[at]
    }

    pub(super) fn push(
        &mut self,
        tenant: Option<TenantId>,
        sql: &'static Sql,
        params: &[Param<'_>],
        expect: Rows,
    ) -> Result<(), StoreError> {
        self.of(tenant, sql, expect).push(params)
    }

    /// A row whose last numbers are added to those of the rows that agree in everything before them.
    pub(super) fn add(
        &mut self,
        tenant: Option<TenantId>,
        sql: &'static Sql,
        params: &[Param<'_>],
        summed: usize,
    ) -> Result<(), StoreError> {
        let late = self.of(tenant, sql, Rows::Any);
        late.summed = Some(params.len() - summed);
        late.push(params)
    }

    /// The present write succeeded: its rows stay.
    pub(super) fn keep(&mut self) {
        self.statements.iter_mut().for_each(Late::keep);
    }

    /// The present write failed: its rows go.
    pub(super) fn drop_own(&mut self) {
        // What only it would have run is where it would have been without it.
        self.statements.retain(|late| late.kept > 0);
        self.statements.iter_mut().for_each(Late::drop_own);
    }

    /// Takes out what was kept; what the present write left stays.
    pub(super) fn take_kept(&mut self) -> Self {
        let own = self.statements.iter_mut().map(Late::split_own).filter(|late| late.rows > 0).collect();
        let mut kept = std::mem::replace(self, Self { statements: own });
        kept.statements.retain(|late| late.rows > 0);
        kept
    }

    /// The statements, those of a tenant together.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when a parameter has another type in another row.
    pub(super) fn into_statements(mut self) -> Result<Vec<Late>, StoreError> {
        self.statements.sort_by_key(|late| late.tenant.map(|tenant| tenant.uuid()));
        for late in &mut self.statements {
            late.sum()?;
        }
        Ok(self.statements)
    }
}

impl Column {
    /// The bytes of each place; none for NULL.
    fn places(&self) -> Vec<&[u8]> {
        let mut rest: &[u8] = &self.data;
        let mut places = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
            let (place, after) = after.split_at(length.min(after.len()));
            places.push(place);
            rest = after;
        }
        places
    }
}

/// The form of a statement that takes its rows from arrays: an INSERT of one row of VALUES, or an
/// UPDATE or DELETE with one WHERE. `types` are those of its parameters.
pub(super) fn for_many(text: &str, types: &[Type]) -> String {
    let mut names = Vec::new();
    let mut arrays = Vec::new();
    for (at, ty) in types.iter().enumerate() {
        let n = at + 1;
        names.push(format!("c{n}"));
        arrays.push(format!("${n}::{}[]", ty.name()));
    }
    let rows = format!("unnest({}) AS r({})", arrays.join(", "), names.join(", "));
    let (head, body, tail) = if text.starts_with("INSERT") {
        let (head, rest) = text.split_once(" VALUES (").expect("an INSERT with VALUES");
        let (values, tail) = match rest.split_once(") ON CONFLICT") {
            Some((values, tail)) => (values, format!(" ON CONFLICT{tail}")),
            None => (rest.strip_suffix(')').expect("nothing behind VALUES"), String::new()),
        };
        (format!("{head} SELECT "), values, format!(" FROM {rows}{tail}"))
    } else {
        let word = if text.starts_with("DELETE") { "USING" } else { "FROM" };
        let (head, condition) = text.split_once(" WHERE ").expect("a statement with WHERE");
        return format!("{} {word} {rows} WHERE {}", of_rows(head), of_rows(condition));
    };
    format!("{head}{}{tail}", of_rows(body))
}

/// `$3` as the third column of the rows.
fn of_rows(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        out.push_str(&rest[..at]);
        out.push_str("r.c");
        out.push_str(&rest[at + 1..at + 1 + digits]);
        rest = &rest[at + 1 + digits..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_takes_its_rows_from_arrays() {
        assert_eq!(
            for_many(
                "INSERT INTO item (a, b, c) VALUES ($1, 'x', $2) ON CONFLICT DO NOTHING",
                &[Type::UUID, Type::BYTEA]
            ),
            "INSERT INTO item (a, b, c) SELECT r.c1, 'x', r.c2 \
             FROM unnest($1::uuid[], $2::bytea[]) AS r(c1, c2) ON CONFLICT DO NOTHING"
        );
        assert_eq!(
            for_many("UPDATE item SET b = $2, n = n + 1 WHERE a = $1", &[Type::UUID, Type::INT8]),
            "UPDATE item SET b = r.c2, n = n + 1 FROM unnest($1::uuid[], $2::int8[]) AS r(c1, c2) WHERE a = r.c1"
        );
        assert_eq!(
            for_many("DELETE FROM item WHERE a = $1", &[Type::UUID]),
            "DELETE FROM item USING unnest($1::uuid[]) AS r(c1) WHERE a = r.c1"
        );
    }

    #[test]
    fn sums_are_kept_apart_by_what_stands_before_them() {
        static SQL: Sql = Sql::new("");
        let tenant = TenantId(uuid::Uuid::nil());
        let mut all = Batch::default();
        for (day, count) in [(1_i64, 2_i64), (2, 3), (1, 5)] {
            all.add(Some(tenant), &SQL, &[tenant.into(), day.into(), count.into()], 1).expect("added");
        }
        all.keep();
        all.add(Some(tenant), &SQL, &[tenant.into(), Param::Int(2), Param::Int(10)], 1).expect("added");
        all.keep();
        all.add(Some(tenant), &SQL, &[tenant.into(), Param::Int(2), Param::Int(100)], 1).expect("added");
        all.drop_own();
        let late = all.into_statements().expect("of one type").remove(0);
        let numbers = |at: usize| -> Vec<i64> {
            late.columns[at]
                .places()
                .iter()
                .map(|place| i64::from_be_bytes((*place).try_into().unwrap()))
                .collect()
        };
        assert_eq!((late.rows, numbers(1), numbers(2)), (2, vec![1, 2], vec![7, 13]));
    }

    #[test]
    fn rows_of_a_write_stay_or_go_with_it() {
        static ONE: Sql = Sql::new("one");
        static TWO: Sql = Sql::new("two");
        let tenant = Some(TenantId(uuid::Uuid::nil()));
        let rows = |batch: Batch| -> Vec<(&'static str, u64, Vec<Vec<u8>>)> {
            let lates = batch.into_statements().expect("of one type");
            let places = |late: &Late| late.columns[0].places().iter().map(|place| place.to_vec()).collect();
            lates.iter().map(|late| (late.sql.postgres(), late.rows, places(late))).collect()
        };
        let push = |batch: &mut Batch, sql, param: Param<'_>| {
            batch.push(tenant, sql, &[param], Rows::One).expect("added");
        };
        let mut batch = Batch::default();
        push(&mut batch, &ONE, Param::Text("a"));
        batch.keep();
        // A write that fails: neither its rows nor its place in the order stay.
        push(&mut batch, &TWO, Param::Text("b"));
        push(&mut batch, &ONE, Param::Null);
        batch.drop_own();
        push(&mut batch, &ONE, Param::Text("c"));
        push(&mut batch, &TWO, Param::Text("d"));
        let kept = batch.take_kept();
        assert_eq!(rows(kept), [("one", 1, vec![b"a".to_vec()])]);
        push(&mut batch, &ONE, Param::Text("e"));
        batch.keep();
        let all = rows(std::mem::take(&mut batch));
        assert_eq!(all, [("one", 2, vec![b"c".to_vec(), b"e".to_vec()]), ("two", 1, vec![b"d".to_vec()])]);
        assert!(rows(batch.take_kept()).is_empty());
    }
}
