// Records a voice message with the microphone of this machine.

import { complain } from "./wire.js";
import { t } from "./words.js";

const LONGEST_MS = 120_000;

export const canRecord = Boolean(navigator.mediaDevices && window.MediaRecorder);

// A recording that has begun; null, and said why, if the browser does not let us hear.
export async function record() {
  try {
    return new Recording(await navigator.mediaDevices.getUserMedia({ audio: true }));
  } catch (error) {
    complain(t("no_microphone", { error: error.message }));
    return null;
  }
}

class Recording {
  constructor(stream) {
    this.stream = stream;
    this.pieces = [];
    this.recorder = new MediaRecorder(stream);
    this.recorder.addEventListener("dataavailable", ({ data }) => this.pieces.push(data));
    this.stopped = new Promise((stopped) => this.recorder.addEventListener("stop", stopped));
    this.recorder.start();
    this.beganMs = Date.now();
    this.limit = setTimeout(() => this.stop(), LONGEST_MS);
  }

  get seconds() {
    return Math.min(Date.now() - this.beganMs, LONGEST_MS) / 1000;
  }

  stop() {
    clearTimeout(this.limit);
    if (this.recorder.state !== "inactive") this.recorder.stop();
    for (const track of this.stream.getTracks()) track.stop();
  }

  // What was said, as a file.
  async finish() {
    this.stop();
    await this.stopped;
    return new File(this.pieces, "voice.webm");
  }
}
