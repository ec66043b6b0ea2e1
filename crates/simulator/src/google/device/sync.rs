//! A device in touch with Google: it does what it was told, oldest first, and then reports.

use serde_json::{Value, json};

use super::execute::{Done, Standing};
use crate::google::event::{AndroidHappening, shown_keys};
use crate::google::world::{Operation, World};

/// gRPC's code for what came too late.
const DEADLINE_EXCEEDED: i32 = 4;
const RESPONSE: &str = "type.googleapis.com/google.android.devicemanagement.v1.IssueCommandResponse";

impl World {
    /// Answers how many commands came to their end; `None` if Google has no such device.
    pub(in crate::google) fn sync(&mut self, name: &str) -> Option<usize> {
        if self.device(name).is_none() {
            let orphan = self.hardware_mut(name).filter(|it| it.to_be_wiped)?;
            orphan.to_be_wiped = false;
            orphan.wiped = true;
            self.tell(name, AndroidHappening::Unenrolled { why: "Google gave it up, and it wiped itself" });
            return None;
        }
        let now = self.now();
        if let Some(hardware) = self.hardware_mut(name) {
            hardware.in_touch = Some(now);
        }
        let mut ended = 0;
        while let Some(serial) = self.open_operation(name) {
            ended += 1;
            if self.carry_out(name, serial) {
                return Some(ended);
            }
        }
        self.report(name);
        self.log_location(name);
        Some(ended)
    }

    fn open_operation(&self, name: &str) -> Option<u64> {
        let operations = &self.device(name)?.operations;
        operations.iter().find(|(_, it)| !it.is_done()).map(|(serial, _)| *serial)
    }

    /// Answers whether the device is managed no more.
    fn carry_out(&mut self, name: &str, serial: u64) -> bool {
        let now = self.now();
        let Some(device) = self.device(name) else { return true };
        let Some(operation) = device.operations.get(&serial) else { return false };
        let standing = Standing {
            fully_managed: device.resource["managementMode"] == "DEVICE_OWNER",
            company_owned: device.resource["ownership"] == "COMPANY_OWNED",
        };
        let (command, late) = (operation.command.clone(), operation.end <= now);
        let done = match (late, self.hardware_mut(name)) {
            (false, Some(hardware)) => Some(hardware.execute(&command, standing, now)),
            _ => None,
        };
        let operation = self.device_mut(name).and_then(|device| device.operations.get_mut(&serial));
        let resource = operation.map(|operation| {
            finish(operation, done.as_ref());
            operation.resource.clone()
        });
        self.notify(name, "COMMAND", resource.as_ref());
        let Some(done) = done else { return false };
        self.tell_done(name, &command, &done);
        self.follow(name, &done)
    }

    fn tell_done(&self, name: &str, command: &Value, done: &Done) {
        let (what, keys) = (command["type"].as_str().unwrap_or_default().to_owned(), shown_keys(command));
        let status = done.status.as_ref().and_then(|(_, status)| status["status"].as_str());
        let fault = done.error_code.or(status.filter(|word| *word != "SUCCESS"));
        self.tell(
            name,
            match fault {
                Some(why) => AndroidHappening::CouldNot { what, keys, why: why.to_owned() },
                None => AndroidHappening::Did { what, keys },
            },
        );
        if done.gone {
            let why = if done.wiped { "it wiped itself" } else { "it is its user's now" };
            self.tell(name, AndroidHappening::Unenrolled { why });
        }
    }

    fn follow(&mut self, name: &str, done: &Done) -> bool {
        if done.locked {
            self.log(name, "REMOTE_LOCK", "remoteLockEvent", &json!({}));
        }
        if done.gone {
            self.give_up(name);
            if let Some(hardware) = self.hardware_mut(name) {
                hardware.wiped = done.wiped;
            }
        }
        done.gone
    }

    /// The record goes; the last that is heard of it is a report of state `DELETED`.
    pub(in crate::google) fn give_up(&mut self, name: &str) {
        let removed = self.enterprise_of(name).and_then(|enterprise| enterprise.devices.remove(name));
        if let Some(mut device) = removed {
            device.resource["state"] = json!("DELETED");
            device.resource["appliedState"] = json!("DELETED");
            self.notify(name, "STATUS_REPORT", Some(&device.resource));
        }
    }

    fn report(&mut self, name: &str) {
        let now = self.now();
        let Some(enterprise) = self.enterprise_of(name) else { return };
        let Some(device) = enterprise.devices.get_mut(name) else { return };
        let policy = device.resource["policyName"].as_str().and_then(|it| enterprise.policies.get(it));
        let wanted = policy.and_then(|it| it.get("statusReportingSettings")).cloned().unwrap_or_default();
        if let Some(policy) = policy {
            device.resource["appliedPolicyName"] = policy["name"].clone();
            device.resource["appliedPolicyVersion"] = policy["version"].clone();
        }
        let mut resource = device.resource.clone();
        if let Some(hardware) = self.hardware_mut(name) {
            hardware.report(&mut resource, &wanted, now);
        }
        if let Some(device) = self.device_mut(name) {
            device.resource.clone_from(&resource);
        }
        self.notify(name, "STATUS_REPORT", Some(&resource));
        let keys = json!({"appliedState": resource["appliedState"]});
        self.tell(name, AndroidHappening::Did { what: "STATUS_REPORT".to_owned(), keys });
    }
}

/// Writes the end of a command into its operation; without one it came too late.
fn finish(operation: &mut Operation, done: Option<&Done>) {
    let resource = &mut operation.resource;
    resource["done"] = json!(true);
    let Some(done) = done else {
        resource["error"] = json!({"code": DEADLINE_EXCEEDED, "message": "The command expired."});
        return;
    };
    if let Some((field, status)) = &done.status {
        resource["metadata"][field] = Value::clone(status);
    }
    match done.error_code {
        Some(code) => resource["metadata"]["errorCode"] = json!(code),
        None => resource["response"] = json!({"@type": RESPONSE}),
    }
}
