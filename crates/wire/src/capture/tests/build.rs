//! Writes captures, in either byte order.

use crate::capture::record::Order;

pub struct Writer {
    pub order: Order,
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn new(order: Order) -> Self {
        Writer { order, bytes: Vec::new() }
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        })
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        })
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&match self.order {
            Order::Little => value.to_le_bytes(),
            Order::Big => value.to_be_bytes(),
        })
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Fills up to a multiple of four.
    pub fn pad(&mut self) -> &mut Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    /// A pcap file header, version 2.4.
    pub fn pcap(&mut self, magic: u32, link: u32) -> &mut Self {
        self.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(link)
    }

    /// A pcap record.
    pub fn record(&mut self, seconds: u32, fraction: u32, wire_length: u32, data: &[u8]) -> &mut Self {
        self.u32(seconds).u32(fraction).u32(data.len() as u32).u32(wire_length).raw(data)
    }

    /// A pcapng block around `body`, padded.
    pub fn block(&mut self, kind: u32, body: impl FnOnce(&mut Writer)) -> &mut Self {
        let mut inner = Writer::new(self.order);
        body(&mut inner);
        inner.pad();
        let total = inner.bytes.len() as u32 + 12;
        self.u32(kind).u32(total).raw(&inner.bytes).u32(total)
    }

    pub fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        self.u16(code).u16(value.len() as u16).raw(value).pad()
    }

    pub fn section(&mut self) -> &mut Self {
        self.block(0x0a0d_0d0a, |b| {
            b.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX);
        })
    }

    pub fn interface(&mut self, link: u16, options: impl FnOnce(&mut Writer)) -> &mut Self {
        self.block(1, |b| {
            b.u16(link).u16(0).u32(0);
            options(b);
        })
    }

    /// An enhanced packet whose time stamp is `units`.
    pub fn packet(&mut self, interface: u32, units: u64, data: &[u8]) -> &mut Self {
        self.packet_with(interface, units, data, |_| ())
    }

    pub fn packet_with(
        &mut self,
        interface: u32,
        units: u64,
        data: &[u8],
        options: impl FnOnce(&mut Writer),
    ) -> &mut Self {
        let length = data.len() as u32;
        self.block(6, |b| {
            b.u32(interface).u32((units >> 32) as u32).u32(units as u32).u32(length).u32(length).raw(data).pad();
            options(b);
        })
    }
}
