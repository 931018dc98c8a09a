// Tests run in a simulated DOM; style sheets are text and need no processing.
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { environment: "happy-dom", include: ["test/*.test.ts"] } });
