"""A master whose methods of registration are those of the project's presentation, as written there."""

import web

from concurrent.apps import MasterNode, NodeType
from concurrent.transport import jsonremote, tcpremote


class MyMaster(MasterNode):
    def register_methods(self):
        @jsonremote(self.api_service_v1)
        def register_slave(request, node_id, port, data):
            self.stats.add_avg("register_slave")
            return self.register_node(node_id, web.ctx["ip"], port, data, NodeType.slave)

        @tcpremote(self.zmq_server, name="register_slave")
        def register_slave_tcp(handler, request, node_id):
            self.stats.add_avg("register_slave_tcp")
            return self.register_node_tcp(handler, request, node_id, NodeType.slave)
