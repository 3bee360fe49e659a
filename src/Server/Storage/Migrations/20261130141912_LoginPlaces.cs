using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Squall.Server.Migrations
{
    /// <inheritdoc />
    public partial class LoginPlaces : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "places",
                columns: table => new
                {
                    AccountId = table.Column<string>(type: "TEXT", nullable: false),
                    Address = table.Column<string>(type: "TEXT", nullable: false),
                    LoginTimeMicros = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_places", x => new { x.AccountId, x.Address });
                });

            migrationBuilder.CreateIndex(
                name: "IX_places_LoginTimeMicros",
                table: "places",
                column: "LoginTimeMicros");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "places");
        }
    }
}
