//! When devices last spoke to us, gathered in memory: an empty poll writes nothing.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{DeviceId, TenantId, Timestamp, ports::Identity};

/// Who, and when.
pub(crate) type Contact = (TenantId, DeviceId, Timestamp);

/// The contacts since the last flush, one for each device.
#[derive(Default)]
pub(crate) struct Contacts(Mutex<HashMap<(TenantId, DeviceId), Timestamp>>);

impl Contacts {
    /// Notes that a device spoke.
    pub(crate) fn note(&self, who: &Identity, at: Timestamp) {
        self.put((who.tenant, who.device, at));
    }

    /// Notes it again, where it could not be written; a later contact stays.
    pub(crate) fn put_back(&self, contacts: &[Contact]) {
        for contact in contacts {
            self.put(*contact);
        }
    }

    /// Takes all of them out, in the order of tenant and device.
    pub(crate) fn take(&self) -> Vec<Contact> {
        let gathered = mem::take(&mut *self.lock());
        let mut contacts: Vec<Contact> =
            gathered.into_iter().map(|((tenant, device), at)| (tenant, device, at)).collect();
        contacts.sort_unstable();
        contacts
    }

    fn put(&self, (tenant, device, at): Contact) {
        let mut gathered = self.lock();
        let last = gathered.entry((tenant, device)).or_insert(at);
        *last = at.max(*last);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(TenantId, DeviceId), Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn device(number: u128) -> (TenantId, DeviceId) {
        (TenantId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(number)))
    }

    #[test]
    fn the_latest_contact_of_each_device_is_kept_in_order() {
        let contacts = Contacts::default();
        let ((tenant, one), (_, two)) = (device(1), device(2));
        contacts.put_back(&[
            (tenant, two, Timestamp(5)),
            (tenant, one, Timestamp(9)),
            (tenant, one, Timestamp(7)),
        ]);
        assert_eq!(contacts.take(), [(tenant, one, Timestamp(9)), (tenant, two, Timestamp(5))]);
        assert!(contacts.take().is_empty());
    }
}
