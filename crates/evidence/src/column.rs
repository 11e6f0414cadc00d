//! Builders of one column. They allocate as values are new, not as rows come.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, DictionaryArray, Float64Builder, Int32Array, Int64Builder, StringArray,
    TimestampNanosecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use quaywatch_model::Address;
use quaywatch_model::table::Kind;

/// Text as keys into a dictionary that grows with new values only.
pub(crate) struct TextColumn {
    keys: Vec<i32>,
    /// Seeded anew in each process, so that captured text cannot be made to collide. Keys go by first appearance and
    /// never by hash: the seed leaves no trace in a file.
    hasher: RandomState,
    index: HashTable<i32>,
    offsets: Vec<i32>,
    bytes: Vec<u8>,
    /// Keys of addresses, so that none is printed twice.
    addresses: hashbrown::HashMap<Address, i32, RandomState>,
    /// Keys of numbered names (inputs, segments).
    numbered: Vec<i32>,
    scratch: String,
}

impl TextColumn {
    fn new() -> Self {
        TextColumn {
            keys: Vec::new(),
            hasher: RandomState::default(),
            index: HashTable::new(),
            offsets: vec![0],
            bytes: Vec::new(),
            addresses: hashbrown::HashMap::with_hasher(RandomState::default()),
            numbered: Vec::new(),
            scratch: String::new(),
        }
    }

    fn key(&mut self, text: &str) -> i32 {
        // Most cells repeat the one above: comparing is cheaper than hashing.
        if let Some(last) = self.keys.last().copied()
            && slice(&self.offsets, &self.bytes, last) == Some(text.as_bytes())
        {
            return last;
        }
        let hash = self.hasher.hash_one(text);
        let (offsets, bytes) = (&self.offsets, &self.bytes);
        let same = |key: &i32| slice(offsets, bytes, *key) == Some(text.as_bytes());
        if let Some(key) = self.index.find(hash, same) {
            return *key;
        }
        let key = i32::try_from(self.offsets.len() - 1).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
        let (hasher, offsets, bytes) = (&self.hasher, &self.offsets, &self.bytes);
        let rehash = |key: &i32| match slice(offsets, bytes, *key).and_then(|value| std::str::from_utf8(value).ok()) {
            Some(value) => hasher.hash_one(value),
            None => 0,
        };
        self.index.insert_unique(hash, key, rehash);
        key
    }

    pub(crate) fn append(&mut self, text: &str) {
        let key = self.key(text);
        self.keys.push(key);
    }

    pub(crate) fn append_address(&mut self, address: Address) {
        if let Some(key) = self.addresses.get(&address) {
            self.keys.push(*key);
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let _ = std::fmt::write(&mut scratch, format_args!("{address}"));
        let key = self.key(&scratch);
        self.scratch = scratch;
        self.addresses.insert(address, key);
        self.keys.push(key);
    }

    /// Appends the name that goes by `number`; it is looked at once per number and file.
    pub(crate) fn append_numbered(&mut self, number: usize, name: &str) {
        if let Some(key) = self.numbered.get(number).copied().filter(|key| *key >= 0) {
            self.keys.push(key);
            return;
        }
        let key = self.key(name);
        if self.numbered.len() <= number {
            self.numbered.resize(number + 1, -1);
        }
        if let Some(slot) = self.numbered.get_mut(number) {
            *slot = key;
        }
        self.keys.push(key);
    }

    /// Asks for the names of all numbers anew.
    pub(crate) fn forget_numbered(&mut self) {
        self.numbered.clear();
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let keys = Int32Array::new(ScalarBuffer::from(std::mem::take(&mut self.keys)), None);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let values = StringArray::try_new(offsets, std::mem::take(&mut self.bytes).into(), None)?;
        self.index.clear();
        self.addresses.clear();
        self.numbered.clear();
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values))?))
    }
}

fn slice<'b>(offsets: &[i32], bytes: &'b [u8], key: i32) -> Option<&'b [u8]> {
    let at = usize::try_from(key).ok()?;
    let (from, to) = (*offsets.get(at)?, *offsets.get(at + 1)?);
    bytes.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
}

/// A column of any kind.
pub(crate) enum ColumnBuilder {
    Text(TextColumn),
    Int(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampNanosecondBuilder),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => ColumnBuilder::Text(TextColumn::new()),
            Kind::Int => ColumnBuilder::Int(Int64Builder::new()),
            Kind::Float => ColumnBuilder::Float(Float64Builder::new()),
            Kind::Bool => ColumnBuilder::Bool(BooleanBuilder::new()),
            Kind::Time => ColumnBuilder::Time(TimestampNanosecondBuilder::new().with_timezone("UTC")),
        }
    }

    /// Bytes held, roughly.
    pub(crate) fn size(&self) -> usize {
        match self {
            ColumnBuilder::Text(text) => text.keys.len() * 4 + text.bytes.len() + text.offsets.len() * 4,
            ColumnBuilder::Int(builder) => builder.values_slice().len() * 8,
            ColumnBuilder::Float(builder) => builder.values_slice().len() * 8,
            ColumnBuilder::Bool(builder) => builder.values_slice().len(),
            ColumnBuilder::Time(builder) => builder.values_slice().len() * 8,
        }
    }

    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            ColumnBuilder::Text(text) => text.finish()?,
            ColumnBuilder::Int(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Float(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Bool(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Time(builder) => Arc::new(builder.finish()),
        })
    }
}
