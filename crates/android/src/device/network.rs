//! The mobile network and Wi-Fi.

use serde::Deserialize;

use crate::wire::list;

/// `networkInfo`. There is no word about roaming, and one IMEI only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkInfo {
    /// Of a GSM device.
    pub imei: Option<String>,
    /// Of a CDMA device.
    pub meid: Option<String>,
    /// Of Wi-Fi.
    pub wifi_mac_address: Option<String>,
    /// Of the first SIM's network, where the device tells no more.
    pub network_operator_name: Option<String>,
    /// The SIMs, of fully managed devices only.
    #[serde(deserialize_with = "list::deserialize")]
    pub telephony_infos: Vec<TelephonyInfo>,
}

/// One SIM.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TelephonyInfo {
    /// As the SIM knows it.
    pub phone_number: Option<String>,
    /// The network's name.
    pub carrier_name: Option<String>,
    /// The SIM's number.
    pub icc_id: Option<String>,
    /// `ACTIVATED` or `NOT_ACTIVATED`; of an eSIM.
    pub activation_state: Option<String>,
    /// `ADMIN_CONFIGURED` or `USER_CONFIGURED`; of an eSIM.
    pub config_mode: Option<String>,
}
