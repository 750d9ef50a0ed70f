"use strict";
// The values under the pointer, from the table behind each chart. Without scripts the tables are all there.
(() => {
	const tip = document.getElementById("tip");
	const hide = () => { tip.hidden = true; };
	for (const figure of document.querySelectorAll("figure")) {
		const svg = figure.querySelector("svg[data-area]");
		const table = figure.querySelector("table.numbers");
		if (!svg || !table || !(svg.dataset.x || svg.dataset.categories)) continue;
		const [left, top, right, bottom] = svg.dataset.area.split(" ").map(Number);
		const names = [...table.tHead.rows[0].cells].map((c) => c.textContent);
		const rows = [...table.tBodies[0].rows];
		const places = rows.map((r) => Number(r.cells[0].textContent));
		const [low, high, scale] = (svg.dataset.x || "").split(" ");
		// nearest is the row at a share of the axis' length.
		const nearest = (share) => {
			if (svg.dataset.categories) return rows[Math.min(rows.length - 1, Math.floor(share * Number(svg.dataset.categories)))];
			const min = Number(low), max = Number(high);
			const x = scale === "log" ? min * Math.pow(max / min, share) : min + share * (max - min);
			let from = 0, to = places.length - 1;
			while (to - from > 1) {
				const middle = (from + to) >> 1;
				if (places[middle] <= x) from = middle; else to = middle;
			}
			return rows[Math.abs(places[from] - x) <= Math.abs(places[to] - x) ? from : to];
		};
		svg.addEventListener("pointermove", (event) => {
			const box = svg.getBoundingClientRect();
			const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
			const y = (event.clientY - box.top) / box.height * svg.viewBox.baseVal.height;
			if (x < left || x > right || y < top || y > bottom) return hide();
			const row = nearest((x - left) / (right - left));
			if (!row) return hide();
			const lines = [];
			for (let i = 0; i < row.cells.length && lines.length < 16; i++) {
				const value = row.cells[i].textContent;
				if (value.trim() !== "" && !(i > 0 && names.length > 16 && value.trim() === "0")) lines.push(names[i] + ": " + value.trim());
			}
			tip.textContent = lines.join("\n");
			tip.hidden = false;
			tip.style.left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8) + "px";
			tip.style.top = Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8) + "px";
		});
		svg.addEventListener("pointerleave", hide);
	}
})();
