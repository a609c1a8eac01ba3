// Git in an Express application.
import { toNodeListener } from "@x/transport-http/node";
import express from "express";
import { announce, directory, handlerFor, port } from "./repositories.mjs";

const git = toNodeListener(handlerFor(directory));
const app = express();

// In front of body parsers: a push goes to the disk as it comes.
app.use("/git", git);

// Behind one that leaves bytes it works too, but the whole push is in memory first.
app.use("/raw", express.raw({ type: () => true, limit: "1gb" }), git);

// Behind one that makes something else of them there is nothing left to serve: 500, transport-http/body-taken.
app.use("/text", express.text({ type: () => true, limit: "1gb" }), git);

app.use(express.json());
app.get("/", (_request, response) => void response.send("hello\n"));

const server = app.listen(Number(port), "127.0.0.1", () => announce(server.address()));
server.requestTimeout = 0;
