//! The types of `shop.avsc` as the generator writes them. `UPDATE_EXPECT=1` writes them anew.

/// One purchase.
/// Each is final.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Order")]
pub struct ShopOrder {
    /// Counts up.
    pub id: i64,
    pub r#type: Kind,
    /// The order that this one mends.
    #[serde(rename = "self")]
    pub self_: Option<Box<ShopOrder>>,
    pub parts: Vec<ShopOrder>,
    pub pick: Option<StringOrHashOrShopOrderOrKind>,
    pub prices: std::collections::HashMap<String, Vec<u8>>,
    pub twin: Box<OtherOrder>,
    pub either: ShopOrderOrOtherOrderOrInt,
    pub option: Option_,
    pub hash: Vec<u8>,
    pub lists: Vec<std::collections::HashMap<String, Option<i64>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    #[serde(rename = "BIG_ONE")]
    BigOne,
    big_one,
    #[serde(rename = "SELF")]
    Self_,
    #[serde(rename = "other")]
    Other,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum StringOrHashOrShopOrderOrKind {
    #[serde(rename = "string")]
    String(String),
    Hash(Vec<u8>),
    #[serde(rename = "Order")]
    ShopOrder(Box<ShopOrder>),
    Kind(Kind),
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Order")]
pub struct OtherOrder {
    pub back: Option<Box<ShopOrder>>,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum ShopOrderOrOtherOrderOrInt {
    #[serde(rename = "shop.Order")]
    ShopOrder(Box<ShopOrder>),
    #[serde(rename = "other.Order")]
    OtherOrder(Box<OtherOrder>),
    #[serde(rename = "int")]
    Int(i32),
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename = "Option")]
pub struct Option_ {
    pub at: i64,
    pub exact: DoubleOrFloat,
    pub flag: bool,
    pub nothing: (),
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum DoubleOrFloat {
    #[serde(rename = "double")]
    Double(f64),
    #[serde(rename = "float")]
    Float(f32),
}
