//! DescribeCluster (key 60), v0-v2.

use net::Start;
use protocol::messages::describe_cluster_request::DescribeClusterRequest;
use protocol::messages::describe_cluster_response::{DescribeClusterBroker, DescribeClusterResponse};
use types::ErrorCode;

use super::{Call, Pending};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;
/// Every operation on a cluster that this node knows, as nobody is refused any.
const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

pub fn start(call: &mut Call<'_>) -> Start<Pending> {
    let request: DescribeClusterRequest = match call.decode() {
        Ok(request) => request,
        Err(close) => return Start::Done(close),
    };
    let node = &call.broker.node;
    let mut response = DescribeClusterResponse::default();
    if request.endpoint_type != BROKERS {
        let code = if request.endpoint_type == CONTROLLERS {
            ErrorCode::MismatchedEndpointType
        } else {
            ErrorCode::UnsupportedEndpointType
        };
        response.error_code = code.code();
        response.error_message = Some("a broker answers for endpoint type 1, the brokers".into());
        return Start::Done(call.reply().send(&response));
    }
    let (host, port) = node.address_for(&call.session.peer.listener, call.session.peer.local);
    response.cluster_id = (&*node.cluster_id).into();
    response.controller_id = node.id.0;
    response.brokers.push(DescribeClusterBroker {
        broker_id: node.id.0,
        host: host.into(),
        port: i32::from(port),
        rack: node.rack.as_deref().map(Into::into),
        ..Default::default()
    });
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = CLUSTER_OPERATIONS;
    }
    Start::Done(call.reply().send(&response))
}
