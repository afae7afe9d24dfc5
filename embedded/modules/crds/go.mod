// Modules of which only data is used (CRDs, stage files, default configuration). Nothing is compiled here: each
// is fetched at exactly this version and compared with go.sum.
module embedded/data

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/envoyproxy/ai-gateway v1.0.0
	github.com/envoyproxy/gateway v1.9.1
	github.com/kedacore/keda/v2 v2.21.0
	github.com/kserve/kserve v0.20.0
	github.com/tektoncd/pipeline v1.14.0
	sigs.k8s.io/gateway-api v1.6.1
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
	sigs.k8s.io/kueue v0.19.2
	sigs.k8s.io/kwok v0.8.0
	sigs.k8s.io/lws v0.8.0
)
