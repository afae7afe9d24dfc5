// A program as somebody would write it with the generated SDK; the compiler reads it, nobody runs it.
import { CodingPlatform } from "./index";

const platform = new CodingPlatform("platform", {
    hardware: { accelerator: "L40S", gpusPerNode: 2, nodes: 2 },
    models: [{ role: "coder", model: "Qwen/Qwen3.6-27B-FP8" }],
    access: {
        host: "agents.example.internal",
        tls: { secretName: "agents-tls" },
        developers: { alice: { team: "payments" } },
    },
    developerKeys: { alice: ["a key", "the next one"] },
    serverKey: "another key",
});

export const url = platform.url;
