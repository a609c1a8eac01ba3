import { createApp } from "./app.mjs";

const { fetch } = createApp();
export default { fetch };
