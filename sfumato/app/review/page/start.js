const page = JSON.parse(document.getElementById("data").textContent);
if (page.layout === "gallery") gallery(page);
else workbench(page);
