// The first minute: the run plays from nothing to the place where its question is asked; then the other lens is offered.

const LASTS = 8; // seconds

export const still = window.matchMedia("(prefers-reduced-motion: reduce)");

export class Minute {
  constructor(player) {
    this.player = player;
    this.until = null; // the step in which it ends, while it plays
  }

  /** Steps a second. */
  get rate() {
    return this.until / LASTS;
  }

  begin() {
    const {player} = this;
    const {step} = player.view;
    if (still.matches || !step) return this.offer();
    player.set({step: 0});
    this.until = step;
    player.playing = true;
    player.switches();
    player.run();
  }

  /** It has arrived, or is cut short. */
  end() {
    const {until} = this;
    this.player.stop();
    if (until !== null) this.player.set({step: until});
    this.offer();
  }

  /** One click shows the rest. */
  offer() {
    const {player} = this;
    const other = player.all(".segment").find((button) => button.dataset.lens !== player.view.lens);
    const offer = player.at(".offer");
    offer.textContent = player.trace.say("intro.offer", {lens: other.dataset.ghost});
    offer.hidden = false;
    other.classList.add("offered");
  }

  /** Over at once: for tests and pictures. */
  skip() {
    if (this.until !== null) this.end();
    this.withdraw();
  }

  /** Somebody has found it, or something else. */
  withdraw() {
    this.until = null;
    this.player.at(".offer").hidden = true;
    for (const button of this.player.all(".offered")) button.classList.remove("offered");
  }
}
