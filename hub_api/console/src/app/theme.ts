/** Colours and shapes. Every pair of text and ground has a contrast of 4.5 or more in both schemes (WCAG 2.2, 1.4.3). */
import { createTheme } from '@mui/material/styles'

interface Bubbles {
  in: string
  out: string
  bot: string
  notice: string
}

declare module '@mui/material/styles' {
  interface Palette {
    bubble: Bubbles
  }
  interface PaletteOptions {
    bubble?: Bubbles
  }
}

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data-scheme' },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#0b6b57', contrastText: '#ffffff' },
        secondary: { main: '#3d5a80' },
        success: { main: '#1b6e3c' },
        warning: { main: '#8a5300' },
        error: { main: '#b3261e' },
        info: { main: '#1f5fa8' },
        background: { default: '#f2f5f4', paper: '#ffffff' },
        text: { primary: '#17211e', secondary: '#4d5a56' },
        bubble: { in: '#ffffff', out: '#d8f1e8', bot: '#e4ecf8', notice: '#fff3d6' },
      },
    },
    dark: {
      palette: {
        primary: { main: '#63d2b6', contrastText: '#06231c' },
        secondary: { main: '#a9c4e8' },
        success: { main: '#7fd99b' },
        warning: { main: '#f2b95c' },
        error: { main: '#ff9c93' },
        info: { main: '#8fc1ff' },
        background: { default: '#0e1513', paper: '#17201d' },
        text: { primary: '#e8efec', secondary: '#aab8b3' },
        bubble: { in: '#1f2a27', out: '#11463b', bot: '#1d2f49', notice: '#463609' },
      },
    },
  },
  shape: { borderRadius: 10 },
  typography: {
    fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif',
    button: { textTransform: 'none', fontWeight: 600 },
  },
  components: {
    // In the middle: at the side it would lie on the navigation.
    MuiSnackbar: { defaultProps: { anchorOrigin: { vertical: 'bottom', horizontal: 'center' } } },
    MuiButton: { defaultProps: { disableElevation: true } },
    // A menu belongs to the part of the page whose button opens it, for who reads by landmarks.
    MuiMenu: { defaultProps: { disablePortal: true } },
    MuiAlert: { styleOverrides: { action: { whiteSpace: 'nowrap' } } },
    MuiToggleButton: {
      styleOverrides: {
        root: ({ theme }) => ({
          color: (theme.vars ?? theme).palette.text.secondary,
          textTransform: 'none',
          '&.Mui-selected': { color: (theme.vars ?? theme).palette.text.primary, fontWeight: 700 },
        }),
      },
    },
    MuiTooltip: { defaultProps: { arrow: true, enterDelay: 400 } },
    MuiTab: { styleOverrides: { root: { minHeight: 44, minWidth: 0, paddingInline: 8, whiteSpace: 'nowrap' } } },
  },
})
