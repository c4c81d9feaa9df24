// Unfold writes the HTML of rows anew when one above them, not saved yet, is taken away (deleteInlineTemplateHandler in
// its app.js), and what was typed is not in the HTML: so it is put there while it is typed. A chosen file cannot be.
function keepInMarkup(event) {
  const field = event.target;
  if (field instanceof HTMLTextAreaElement) {
    field.defaultValue = field.value;
  } else if (field instanceof HTMLSelectElement) {
    for (const option of field.options) {
      option.defaultSelected = option.selected;
    }
  } else if (field instanceof HTMLInputElement && (field.type === "checkbox" || field.type === "radio")) {
    field.defaultChecked = field.checked;
  } else if (field instanceof HTMLInputElement && field.type !== "file") {
    field.defaultValue = field.value;
  }
}
document.addEventListener("input", keepInMarkup);
document.addEventListener("change", keepInMarkup);
