"""Keeps Envoy Gateway's host mode on loopback, on ports chosen at start.

Why a patch: docs/adr/0002-envoy-gateway-patch.md. Upstream's host mode listens on all interfaces at fixed
ports and reads its certificates from `/certs`.
"""

from __future__ import annotations

from embedded.toolchain.patch import Edit, Patch

# Environment variables that the patched binary reads at start; a missing one leaves upstream's port.
# The certificates are read from the folder `certs` below its working folder.
XDS_PORT = "ONPREM_GATEWAY_XDS_PORT"
HEALTH_PORT = "ONPREM_GATEWAY_HEALTH_PORT"
WEBHOOK_PORT = "ONPREM_GATEWAY_WEBHOOK_PORT"
WASM_PORT = "ONPREM_GATEWAY_WASM_PORT"
READINESS_PORT = "ONPREM_GATEWAY_READINESS_PORT"

_MODULE = "github.com/envoyproxy/gateway"

_EDITS = (
    Edit(file="internal/xds/runner/runner.go", old='"/certs/', new='"certs/', times=3),
    Edit(
        file="internal/xds/runner/runner.go",
        old='XdsServerAddress = "0.0.0.0"',
        new='XdsServerAddress = "127.0.0.1"',
    ),
    Edit(
        file="internal/xds/runner/runner.go",
        old="strconv.Itoa(bootstrap.DefaultXdsServerPort)",
        new="strconv.Itoa(bootstrap.LoopbackXdsPort)",
    ),
    Edit(
        file="internal/xds/bootstrap/bootstrap.go",
        old="Port:    DefaultXdsServerPort,",
        new="Port:    int32(LoopbackXdsPort),",
    ),
    Edit(file="internal/gatewayapi/runner/runner.go", old='"/certs/', new='"certs/', times=3),
    Edit(
        file="internal/gatewayapi/listener.go",
        old="Port:     uint32(bootstrap.EnvoyReadinessPort),",
        new="Port:     uint32(bootstrap.LoopbackReadinessPort),",
    ),
    Edit(file="internal/globalratelimit/runner/runner.go", old='"/certs/', new='"certs/', times=3),
    Edit(
        file="internal/globalratelimit/runner/runner.go",
        old='XdsGrpcSotwConfigServerAddress = "0.0.0.0"',
        new='XdsGrpcSotwConfigServerAddress = "127.0.0.1"',
    ),
    Edit(
        file="internal/provider/kubernetes/kubernetes.go",
        old="HealthProbeBindAddress:  healthProbeBindAddress,",
        new=(
            "HealthProbeBindAddress:  healthProbeBindAddress,\n"
            '\t\tMetrics: metricsserver.Options{BindAddress: "0"},'
        ),
    ),
    Edit(
        file="internal/provider/kubernetes/kubernetes.go",
        old="Port:     webhookTLSPort,",
        new='Port:     webhookTLSPort,\n\t\t\tHost:     "127.0.0.1",',
    ),
    Edit(
        file="internal/wasm/httpserver.go",
        old='Addr:              fmt.Sprintf(":%d", serverPort),',
        new="Addr:              loopbackAddress,",
    ),
    Edit(
        file="internal/utils/net/ip.go",
        old='IPv4ListenerAddress = "0.0.0.0"',
        new='IPv4ListenerAddress = "127.0.0.1"',
    ),
    Edit(
        file="api/v1alpha1/envoygateway_types.go",
        old='GatewayMetricsHost = "0.0.0.0"',
        new='GatewayMetricsHost = "127.0.0.1"',
    ),
    Edit(
        file="internal/infrastructure/host/proxy_infra.go",
        old='XdsServerHost:   new("0.0.0.0"),',
        new='XdsServerHost:   new("127.0.0.1"),',
    ),
)

_ADDED = {
    "internal/loopback/loopback.go": """package loopback

import (
\t"net"
\t"os"
\t"strconv"
)

// Port returns the number that an environment variable holds, or else upstream's.
func Port(variable string, upstream int) int {
\tif port, err := strconv.Atoi(os.Getenv(variable)); err == nil {
\t\treturn port
\t}
\treturn upstream
}

// Address returns 127.0.0.1 with that port.
func Address(variable string, upstream int) string {
\treturn net.JoinHostPort("127.0.0.1", strconv.Itoa(Port(variable, upstream)))
}
""",
    "internal/xds/bootstrap/loopback.go": f"""package bootstrap

import "{_MODULE}/internal/loopback"

var (
\tLoopbackXdsPort       = loopback.Port("{XDS_PORT}", DefaultXdsServerPort)
\tLoopbackReadinessPort = loopback.Port("{READINESS_PORT}", EnvoyReadinessPort)
)
""",
    "internal/provider/kubernetes/loopback.go": f"""package kubernetes

import "{_MODULE}/internal/loopback"

func init() {{
\thealthProbeBindAddress = loopback.Address("{HEALTH_PORT}", 8081)
\twebhookTLSPort = loopback.Port("{WEBHOOK_PORT}", webhookTLSPort)
\twebhookTLSCertDir = "certs"
}}
""",
    "internal/wasm/loopback.go": f"""package wasm

import "{_MODULE}/internal/loopback"

var loopbackAddress = loopback.Address("{WASM_PORT}", serverPort)
""",
}

PATCH = Patch(
    module=_MODULE,
    title="loopback patch for Envoy Gateway",
    home="embedded/toolchain/gateway_patch.py",
    edits=_EDITS,
    added=_ADDED,
)
