package io.github.secateur;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.io.PrintStream;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Packages may use only those before them, and foreign code and the console have their places. */
class ArchitectureTest {
  private static final String ROOT = "io.github.secateur.";

  /** In reading order. */
  private static final List<String> PACKAGES =
      List.of(
          "tensor",
          "device",
          "device.abi",
          "device.host",
          "graph",
          "io",
          "nn",
          "exec",
          "train",
          "solver",
          "prune",
          "recipe",
          "sparse",
          "measure",
          "report",
          "reproduce");

  private static JavaClasses core;

  @BeforeAll
  static void importClasses() {
    // What core's own class files say is enough; the JDK's need not be read.
    ArchConfiguration.get().setResolveMissingDependenciesFromClassPath(false);
    core =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.secateur");
  }

  /** The position of a class's package, taking subpackages along; -1 when it is not in the list. */
  private static int position(JavaClass type) {
    int best = -1;
    int longest = -1;
    for (int i = 0; i < PACKAGES.size(); i++) {
      String name = ROOT + PACKAGES.get(i);
      String own = type.getPackageName();
      if ((own.equals(name) || own.startsWith(name + ".")) && name.length() > longest) {
        best = i;
        longest = name.length();
      }
    }
    return best;
  }

  private static DescribedPredicate<JavaClass> at(String description, IntTest test) {
    return DescribedPredicate.describe(
        description,
        type ->
            type.getPackageName().startsWith("io.github.secateur") && test.holds(position(type)));
  }

  private interface IntTest {
    boolean holds(int position);
  }

  @Test
  void everyPackageHasAPlaceInTheOrder() {
    noClasses()
        .should(ArchConditions.be(at("outside the listed packages", position -> position < 0)))
        .check(core);
  }

  @Test
  void packagesUseOnlyThoseBeforeThem() {
    for (int i = 0; i < PACKAGES.size(); i++) {
      int own = i;
      noClasses()
          .that(at("in " + PACKAGES.get(i), position -> position == own))
          .should()
          .dependOnClassesThat(at("in a later package", position -> position > own))
          .allowEmptyShould(true)
          .check(core);
    }
  }

  @Test
  void onlyNativeDevicesAreForeign() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "device.abi..", ROOT + "device.host..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Linker.class, SymbolLookup.class)
        .check(core);
  }

  @Test
  void onlyTheDeviceInterfaceIsKnownAboveIt() {
    noClasses()
        .that()
        .resideOutsideOfPackages(ROOT + "device.abi..", ROOT + "device.host..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOT + "device.abi..", ROOT + "device.host..")
        .check(core);
  }

  @Test
  void theConsoleBelongsToTheCommandLine() {
    noClasses()
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace", PrintStream.class)
        .check(core);
  }
}
